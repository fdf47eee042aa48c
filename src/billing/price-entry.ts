import { z } from 'zod'
import { assertNever } from '../base/assert'
import { idInput } from '../base/id-input'
import { parseBackendId } from '../base/ids'
import { Problem, type FieldError } from '../base/problem'
import { dayInput, type Day } from './calendar'

const TEXT_CHARACTERS_MAX = 200
const MODEL = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/
/** 1,000 USD for a token is a slip of the pen. */
const MICRO_USD_PER_MILLION_MAX = 1_000_000_000
const MICRO_USD_PER_HOUR_MAX = 1_000_000_000_000
const MICRO_USD_PER_MONTH_MAX = 1_000_000_000_000_000
/** Room for years of prices of every model and backend within one row of storage. */
const ENTRIES_MAX = 1_000

const amount = (max: number) => z.int().min(0).max(max)
const perMillion = amount(MICRO_USD_PER_MILLION_MAX)

const dated = {
  from: dayInput.meta({ description: 'First day it holds, UTC.' }),
  to: dayInput.optional().meta({ description: 'First day it does not hold any more; absent: until further notice.' }),
  asOf: dayInput.meta({ description: 'The day on which the source was read.' }),
  source: z.string().trim().min(1).max(TEXT_CHARACTERS_MAX),
}
const model = z.string().regex(MODEL, 'Must be the name of a model; a dated release has the price of its family')

const tokenRates = z.strictObject({
  input: perMillion,
  cachedInput: perMillion.optional().meta({ description: 'Absent: as other input.' }),
  imageInput: perMillion.optional().meta({ description: 'Absent: as other input.' }),
  output: perMillion,
})

/** An operator's own price, in place of the built-in list's while it holds. Micro-USD, those of tokens per million. */
export const priceEntryInput = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('tokens'),
    model,
    ...tokenRates.shape,
    batch: tokenRates.optional().meta({ description: 'In batches; absent: half of the others.' }),
    ...dated,
  }),
  z.strictObject({ kind: z.literal('storage'), microUsdPerGibMonth: amount(MICRO_USD_PER_MONTH_MAX), ...dated }),
  z.strictObject({
    kind: z.literal('provisioned'),
    backendId: idInput({ prefixes: ['bke'], parse: parseBackendId, of: 'a backend' }),
    price: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('per-hour'), microUsd: amount(MICRO_USD_PER_HOUR_MAX) }),
      z.strictObject({ kind: z.literal('per-month'), microUsd: amount(MICRO_USD_PER_MONTH_MAX) }),
    ]),
    ...dated,
  }),
  z.strictObject({
    kind: z.literal('training'),
    model,
    trainingType: z.enum(['standard', 'globalstandard', 'developertier']),
    price: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('per-million-tokens'), microUsd: perMillion }),
      z.strictObject({ kind: z.literal('per-hour'), microUsd: amount(MICRO_USD_PER_HOUR_MAX) }),
    ]),
    ...dated,
  }),
  z.strictObject({
    kind: z.literal('hosting'),
    sku: z.enum(['Standard', 'GlobalStandard', 'DeveloperTier']),
    microUsdPerHour: amount(MICRO_USD_PER_HOUR_MAX),
    ...dated,
  }),
])
export type PriceEntry = z.infer<typeof priceEntryInput>
export type PriceOf<Kind extends PriceEntry['kind']> = Extract<PriceEntry, { kind: Kind }>

export const priceEntriesInput = z.strictObject({ entries: z.array(priceEntryInput).max(ENTRIES_MAX) })

export const holdsOn = ({ from, to }: { from: Day; to?: Day | undefined }, day: Day): boolean =>
  from <= day && (to === undefined || day < to)

/** What two entries must not both be the price of at a time. */
export function subjectOf(entry: PriceEntry): string {
  switch (entry.kind) {
    case 'tokens':
      return `tokens of ${entry.model}`
    case 'storage':
      return 'storage'
    case 'provisioned':
      return `provisioned throughput of ${entry.backendId}`
    case 'training':
      return `training of ${entry.model} (${entry.trainingType}, ${entry.price.kind})`
    case 'hosting':
      return `hosting (${entry.sku})`
    default:
      return assertNever(entry)
  }
}

/** How a problem names an entry. */
export const namedEntry = (entry: PriceEntry): string =>
  `${subjectOf(entry)} from ${entry.from}${entry.to === undefined ? '' : ` to ${entry.to}`}`

/** What is wrong with a list by itself: periods that end before they begin, and those that overlap, which both are named. */
export function faultsOfEntries(entries: readonly PriceEntry[]): Problem | undefined {
  const errors: FieldError[] = []
  entries.forEach((entry, index) => {
    if (entry.to !== undefined && entry.to <= entry.from)
      errors.push({ path: `entries.${index}.to`, message: `Must be a day after "from" (${entry.from})` })
  })
  const bySubject = Map.groupBy(
    entries.map((entry, index) => ({ entry, index })),
    ({ entry }) => subjectOf(entry),
  )
  for (const group of bySubject.values()) {
    const inOrder = group.sort((a, b) => (a.entry.from < b.entry.from ? -1 : 1))
    inOrder.forEach((next, position) => {
      const before = inOrder[position - 1]
      if (!before || (before.entry.to !== undefined && before.entry.to <= next.entry.from)) return
      const message = `Overlaps entries.${before.index}: ${namedEntry(before.entry)} and ${namedEntry(next.entry)}`
      errors.push({ path: `entries.${next.index}.from`, message })
    })
  }
  return problemOf(errors)
}

export function problemOf(errors: readonly FieldError[]): Problem | undefined {
  const [first] = errors
  return first && new Problem('invalid_request', `${first.path}: ${first.message}`, { param: first.path, errors })
}
