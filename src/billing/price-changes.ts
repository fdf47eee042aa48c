import { isDeepStrictEqual } from 'node:util'
import type { FieldError, Problem } from '../base/problem'
import type { Day } from './calendar'
import { faultsOfEntries, holdsOn, namedEntry, problemOf, subjectOf, type PriceEntry } from './price-entry'

/** The first day of which prices of a kind can still be set. */
export type OpenFrom = (kind: PriceEntry['kind']) => Day

/**
 * Why a list cannot take the place of another; undefined where it can. Prices of the past stay as they are: what was metered was
 * priced by them, and whoever repeats a piece of it after a crash has to come to the same amount (`LateUsage`).
 */
export function faultOfChange(
  before: readonly PriceEntry[],
  after: readonly PriceEntry[],
  openFrom: OpenFrom,
): Problem | undefined {
  const faults = faultsOfEntries(after)
  if (faults) return faults
  const errors: FieldError[] = []
  after.forEach((entry, index) => {
    const open = openFrom(entry.kind)
    if (entry.from >= open) return
    const known = before.find((other) => other.from === entry.from && subjectOf(other) === subjectOf(entry))
    if (known && isSameBefore(known, entry, open)) return
    const message = known
      ? `Must stay as it is for days before ${open}, which are priced already; it can end then`
      : `Must be ${open} or later: days before are priced already`
    errors.push({ path: `entries.${index}.${known ? 'to' : 'from'}`, message })
  })
  for (const entry of before) {
    const isKept = after.some((other) => other.from === entry.from && subjectOf(other) === subjectOf(entry))
    if (entry.from < openFrom(entry.kind) && !isKept)
      errors.push({
        path: 'entries',
        message: `Must still have ${namedEntry(entry)}, by which days are priced already`,
      })
  }
  return problemOf(errors)
}

function isSameBefore(known: PriceEntry, entry: PriceEntry, open: Day): boolean {
  const { to: knownTo = open, ...knownRest } = known
  const { to = open, ...rest } = entry
  const within = (day: Day) => (day < open ? day : open)
  return isDeepStrictEqual(knownRest, rest) && within(knownTo) === within(to)
}

/** The entry that holds on a day; of sound lists there is one at most. */
export const entryOn = <Entry extends PriceEntry>(entries: readonly Entry[], day: Day): Entry | undefined =>
  entries.find((entry) => holdsOn(entry, day))

export const entriesOf = <Kind extends PriceEntry['kind']>(entries: readonly PriceEntry[], kind: Kind) =>
  entries.filter((entry): entry is Extract<PriceEntry, { kind: Kind }> => entry.kind === kind)
