import { countedFields, isNothing, mapCounted, nothingCounted, type CountedField, type CountedUse } from './counted-use'

/** What the platform counted at a deployment in an hour, with what may make it differ from the provider's count. */
export interface OurUse {
  /** Calls that got an answer, and the tokens of all calls. */
  readonly counted: CountedUse
  /** Part of `counted`: lines of batches, which count here when they were fetched and there when they ran. */
  readonly batched: CountedUse
  /** Calls whose tokens are our own count, since the provider named none (a cut stream). */
  readonly estimatedCalls: number
  /** Calls that the provider refused as they were written; it may have charged their prompts (a filtered one). */
  readonly rejectedCalls: number
  /** Part of the prompt tokens. */
  readonly cachedTokens: number
  /** Calls of the same models, at whatever deployment, that were dispatched and never settled. */
  readonly unsettledCalls: number
  /** Prompts of the same models that were sent to a second backend and given up. */
  readonly hedgedTokens: number
}

export const noUse: OurUse = {
  counted: nothingCounted,
  batched: nothingCounted,
  estimatedCalls: 0,
  rejectedCalls: 0,
  cachedTokens: 0,
  unsettledCalls: 0,
  hedgedTokens: 0,
}

export const driftClasses = [
  /** We count lines of a batch that the provider ran in another hour, or does not count among calls. */
  'batch',
  /** The provider served calls of which we know only that they were dispatched: their process died. */
  'unsettled',
  /** The provider was asked by a hedge that was then given up. */
  'hedged',
  /** The provider charged prompts that it refused. */
  'rejected',
  /** Our own count stands in for a figure that the provider did not name. */
  'estimated',
  /** The provider’s figure leaves out prompt tokens that came from its cache. */
  'cached',
  /** The provider served what we know nothing of: calls that went past the platform, or that the log lost. */
  'unknown-here',
  /** We count what the provider does not: its figures are late, or something counts twice here. */
  'unknown-there',
] as const
export type DriftClass = (typeof driftClasses)[number]

/** A part of the drift, and what it is put down to: up to so much of it is explained that way. Signed as the drift is. */
export interface DriftPart {
  readonly class: DriftClass
  readonly part: CountedUse
}

export interface Drift {
  /** The provider’s figures less ours: above 0 where it served more than we know of. */
  readonly drift: CountedUse
  /** Add up to `drift`, field by field. Empty where both agree. */
  readonly parts: readonly DriftPart[]
}

/**
 * Pure. The classes are asked in their order, and each takes what it may of what is left: so a drift is called unknown only where
 * nothing that we know of could account for it. What a single call may have used is the mean of the provider's calls of that hour.
 */
export function explainDrift(theirs: CountedUse, ours: OurUse): Drift {
  const drift = mapCounted((field) => theirs[field] - ours.counted[field])
  const parts: DriftPart[] = []
  let left = drift
  for (const [name, bounds] of boundsOf(theirs, ours)) {
    const part = mapCounted((field) => taken(left[field], bounds(field)))
    if (isNothing(part)) continue
    const before = left
    left = mapCounted((field) => before[field] - part[field])
    parts.push({ class: name, part })
  }
  return { drift, parts }
}

/** How far a class may go up (the provider has more) and down (we have more). */
interface Bounds {
  readonly up: number
  readonly down: number
}

function boundsOf(
  theirs: CountedUse,
  ours: OurUse,
): readonly (readonly [DriftClass, (field: CountedField) => Bounds])[] {
  const requests = Math.max(theirs.requests, ours.counted.requests)
  const mean = (field: CountedField) => (requests === 0 ? 0 : Math.max(theirs[field], ours.counted[field]) / requests)
  const ofCalls = (calls: number) => (field: CountedField) => Math.ceil(calls * mean(field))
  const meanPrompt = mean('promptTokens')
  const hedges = meanPrompt === 0 ? 0 : Math.ceil(ours.hedgedTokens / meanPrompt)
  const unsettled = ofCalls(ours.unsettledCalls)
  const estimated = ofCalls(ours.estimatedCalls)
  const rejected = ofCalls(ours.rejectedCalls)
  return [
    ['batch', (field) => ({ up: 0, down: ours.batched[field] })],
    ['unsettled', (field) => ({ up: unsettled(field), down: 0 })],
    [
      'hedged',
      (field) => ({ up: { requests: hedges, promptTokens: ours.hedgedTokens, outputTokens: 0 }[field], down: 0 }),
    ],
    ['rejected', (field) => ({ up: field === 'promptTokens' ? rejected(field) : 0, down: 0 })],
    ['estimated', (field) => (field === 'requests' ? none : { up: estimated(field), down: estimated(field) })],
    ['cached', (field) => (field === 'promptTokens' ? { up: 0, down: ours.cachedTokens } : none)],
    ['unknown-here', () => ({ up: Infinity, down: 0 })],
    ['unknown-there', () => ({ up: 0, down: Infinity })],
  ]
}

const none: Bounds = { up: 0, down: 0 }

/** As much of `left` as the bounds allow, with its sign; never a negative zero. */
const taken = (left: number, { up, down }: Bounds): number =>
  left > 0 ? Math.min(left, up) : left < 0 ? -Math.min(-left, down) + 0 : 0

/** The part that nothing we know of accounts for. */
export const unexplained = ({ parts }: Drift): CountedUse =>
  mapCounted((field) =>
    parts
      .filter((part) => part.class === 'unknown-here' || part.class === 'unknown-there')
      .reduce((sum, { part }) => sum + part[field], 0),
  )

/** For a reader: the classes with their figures, the largest field of each first named. */
export const describeParts = (parts: readonly DriftPart[]): string =>
  parts
    .map(({ class: name, part }) => {
      const figures = countedFields
        .filter((field) => part[field] !== 0)
        .map((field) => `${part[field]} ${words[field]}`)
      return `${name}: ${figures.join(', ')}`
    })
    .join('; ')

const words: Record<CountedField, string> = {
  requests: 'requests',
  promptTokens: 'prompt tokens',
  outputTokens: 'output tokens',
}
