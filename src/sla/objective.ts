import { z } from 'zod'
import type { OperationName } from '../inference/operation'
import { aliasName } from '../tenants/tenant-input'

/**
 * Something that a tenant is promised, for each calendar month (UTC): a share of its calls that is good. Absent `alias` and
 * `operation` mean all of them.
 */
export type Objective = {
  readonly alias?: string | undefined
  readonly operation?: OperationName | undefined
} & (
  | {
      readonly kind: 'availability'
      /** Of the calls that count, at least so many are answered whole. */
      readonly percent: number
    }
  | {
      /** `latency` is from arrival to last byte, `first-byte` to the first one: of a stream, to its first token. */
      readonly kind: 'latency' | 'first-byte'
      /** At least `P95_SHARE` of the answered calls take no longer. */
      readonly p95Ms: number
    }
)

export const objectiveKinds = ['availability', 'latency', 'first-byte'] as const
export type ObjectiveKind = (typeof objectiveKinds)[number]

/** That the 95th percentile is at most a bound says the same as that 95 of 100 calls are at most as slow. */
export const P95_SHARE = 0.95
const OBJECTIVES_MAX = 10
/** Less is no promise, and 100 % leaves no error budget to burn. */
const PERCENT_MIN = 50
const PERCENT_MAX = 99.999
/** No call takes longer than its total timeout. */
const P95_MS_MAX = 20 * 60_000

const operationNames = [
  'chat.completions',
  'completions',
  'responses',
  'embeddings',
  'images.generations',
  'images.edits',
  'audio.transcriptions',
  'audio.translations',
  'audio.speech',
] as const satisfies readonly OperationName[]

/** Operations that a client waits for. Batches, responses in the background and what the platform asks for itself are not among them. */
export const isAwaited = (operation: string): operation is OperationName =>
  operationNames.some((name) => name === operation)

const percentText = `Must be a number from ${PERCENT_MIN} to ${PERCENT_MAX}`
const p95Text = `Must be an integer from 1 to ${P95_MS_MAX}, milliseconds`

const part = {
  alias: aliasName.optional().meta({ description: 'Only calls of this alias; absent: of all.' }),
  operation: z.enum(operationNames).optional().meta({ description: 'Only calls of this operation; absent: of all.' }),
}

const p95 = { p95Ms: z.int(p95Text).min(1, p95Text).max(P95_MS_MAX, p95Text) }

const objectiveInput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('availability'),
    percent: z.number(percentText).min(PERCENT_MIN, percentText).max(PERCENT_MAX, percentText),
    ...part,
  }),
  z.strictObject({ kind: z.literal('latency'), ...p95, ...part }),
  z.strictObject({ kind: z.literal('first-byte'), ...p95, ...part }),
])

export const slaPolicyInput = z.strictObject({
  objectives: z
    .array(objectiveInput)
    .min(1)
    .max(OBJECTIVES_MAX)
    .refine((objectives) => new Set(objectives.map(nameOf)).size === objectives.length, {
      error: 'Must have one objective of a kind for the same alias and operation',
    }),
})
export type SlaPolicy = z.infer<typeof slaPolicyInput>

/** Where operators have set nothing. */
export const defaultPolicy: SlaPolicy = {
  objectives: [
    { kind: 'availability', percent: 99.9 },
    { kind: 'latency', p95Ms: 60_000 },
    { kind: 'first-byte', p95Ms: 20_000 },
  ],
}

/** `availability`, `latency alias:chat operation:responses`: of one policy each has another. */
export const nameOf = ({ kind, alias, operation }: Pick<Objective, 'kind' | 'alias' | 'operation'>): string =>
  [kind, ...(alias === undefined ? [] : [`alias:${alias}`]), ...(operation ? [`operation:${operation}`] : [])].join(' ')

/**
 * By which counts are kept. Another bound makes other calls bad, so what was counted under the old one says nothing of the new one;
 * another percentage judges the same counts.
 */
export const countKey = (objective: Objective): string =>
  objective.kind === 'availability' ? nameOf(objective) : `${nameOf(objective)} ${objective.p95Ms}`

/** The share of calls that has to be good. */
export const goodShareOf = (objective: Objective): number =>
  objective.kind === 'availability' ? objective.percent / 100 : P95_SHARE

export const concerns = (
  { alias, operation }: Objective,
  group: { readonly alias: string; readonly operation: string },
): boolean =>
  (alias === undefined || alias === group.alias) && (operation === undefined || operation === group.operation)
