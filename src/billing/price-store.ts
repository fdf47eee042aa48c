import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { dayAfter, dayOf, type Day } from './calendar'
import { faultOfChange } from './price-changes'
import type { PriceEntry } from './price-entry'

/** Operators' own prices: one list, changed whole, so that nobody ever sees half of a change. */
export interface PriceStore {
  read(): Promise<StoredPrices>
  /** `expects` is asked about the version that would be replaced; a no is `precondition_failed`. */
  replace(entries: readonly PriceEntry[], expects: (version: number) => boolean): Promise<StoredPrices | Problem>
}

export interface StoredPrices {
  readonly entries: readonly PriceEntry[]
  /** 0 where nothing was ever set; in quotes the ETag. */
  readonly version: number
}

const ROW = 'prices'
/** Every instance knows a price so long before it begins to hold: ten times as long as it takes them to read it. */
const LEAD_MS = 600_000

const changedMeanwhile = new Problem(
  'precondition_failed',
  'The prices were changed since the version in If-Match. Read them again and repeat the change on what you find.',
)

export function createPriceStore({
  rows,
  openDay,
  clock,
}: {
  rows: PartitionTable<Columns>
  /** The first day that is not closed (`close-days.ts`). */
  openDay: () => Promise<Day>
  clock: Clock
}): PriceStore {
  const read = async () => {
    const row = await rows.get(ROW)
    return { row, stored: row ? fromJsonColumns<StoredPrices>(row.columns) : { entries: [], version: 0 } }
  }
  return {
    read: async () => (await read()).stored,
    replace: async (entries, expects) => {
      const { row, stored } = await read()
      if (!expects(stored.version)) return changedMeanwhile
      // Calls, trainings and hosting are priced as they happen; what is priced by the day, when the day is closed.
      const metered = dayAfter(dayOf(clock.now() + LEAD_MS))
      const closing = await openDay()
      const fault = faultOfChange(stored.entries, entries, (kind) =>
        kind === 'storage' || kind === 'provisioned' ? closing : metered,
      )
      if (fault) return fault
      const next: StoredPrices = { entries, version: stored.version + 1 }
      const columns = toJsonColumns(next)
      const result = await (row ? rows.replace(ROW, columns, row.etag) : rows.insert(ROW, columns))
      return result.kind === 'written' ? next : changedMeanwhile
    },
  }
}
