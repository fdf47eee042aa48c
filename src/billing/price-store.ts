import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { dayAfter, dayOf, later, type Day } from './calendar'
import { faultOfChange } from './price-changes'
import type { PriceEntry } from './price-entry'

/** Operators' own prices: one list, changed whole, so that nobody ever sees half of a change. */
export interface PriceStore {
  read(): Promise<StoredPrices>
  /** `expects` is asked about the version that would be replaced; a no is `precondition_failed`. */
  replace(entries: readonly PriceEntry[], expects: (version: number) => boolean): Promise<StoredPrices | Problem>
  /**
   * The prices by which a day is closed: from now on nobody changes those of it, so that whoever goes on with a day that was half closed
   * prices the rest as the first half.
   */
  settle(day: Day): Promise<readonly PriceEntry[]>
}

export interface StoredPrices {
  readonly entries: readonly PriceEntry[]
  /** 0 where nothing was ever set; in quotes the ETag. */
  readonly version: number
}

/** As they lie in the table. */
interface PricesRow extends StoredPrices {
  /** Days before it are closed, or being closed. */
  readonly settledBefore?: Day | undefined
}

const ROW = 'prices'
/** Every instance knows a price so long before it begins to hold: ten times as long as it takes them to read it. */
const LEAD_MS = 600_000
/** Each is lost to another change. */
const ATTEMPTS_MAX = 20

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
    const found: PricesRow = row ? fromJsonColumns(row.columns) : { entries: [], version: 0 }
    const { settledBefore, ...stored } = found
    return { row, stored, settledBefore }
  }
  /** Asks anew where another change came between. */
  const change = async <T>(edit: (known: Awaited<ReturnType<typeof read>>) => Promise<Edit<T>>): Promise<T> => {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const known = await read()
      const { answer, next } = await edit(known)
      if (!next) return answer
      const columns = toJsonColumns(next)
      const { row } = known
      const result = await (row ? rows.replace(ROW, columns, row.etag) : rows.insert(ROW, columns))
      if (result.kind === 'written') return answer
    }
    throw new Error('the prices lost every race to be written')
  }
  return {
    read: async () => (await read()).stored,
    replace: (entries, expects) => {
      let seen: number | undefined
      return change<StoredPrices | Problem>(async ({ stored, settledBefore }) => {
        // Whoever takes any version means the one that there was.
        seen ??= stored.version
        if (stored.version !== seen || !expects(seen)) return { answer: changedMeanwhile }
        // Calls, trainings and hosting are priced as they happen; what is priced by the day, when the day is closed.
        const metered = dayAfter(dayOf(clock.now() + LEAD_MS))
        const open = await openDay()
        const closing = settledBefore === undefined ? open : later(open, settledBefore)
        const fault = faultOfChange(stored.entries, entries, (kind) =>
          kind === 'storage' || kind === 'provisioned' ? closing : metered,
        )
        if (fault) return { answer: fault }
        const answer: StoredPrices = { entries, version: stored.version + 1 }
        return { answer, next: { ...answer, settledBefore } }
      })
    },
    settle: (day) =>
      change<readonly PriceEntry[]>(async ({ stored, settledBefore }) => {
        const isSettled = settledBefore !== undefined && settledBefore > day
        return isSettled
          ? { answer: stored.entries }
          : { answer: stored.entries, next: { ...stored, settledBefore: dayAfter(day) } }
      }),
  }
}

interface Edit<T> {
  readonly answer: T
  /** Absent: nothing is written. */
  readonly next?: PricesRow
}
