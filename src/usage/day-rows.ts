import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import type { StorageAccount } from '../storage/connect'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantTable } from '../storage/tenant-table'
import { GroupTotals } from './merge-groups'
import { readUsage } from './read-usage'
import { fromUsageColumns, toUsageColumns, type UsageColumns } from './usage-columns'
import { dayText, decodeGroups, encodeGroups, startOfDayText, type StoredGroup } from './usage-rows'
import type { GroupSums } from './usage-sums'
import { dayTable, usageTable } from './usage-tables'

/**
 * A day's usage of a tenant in one row, beside its hours: what makes a year quick to ask for. It can be made again at any time, and
 * one that is missing costs time, not correctness.
 *
 * D1 A row is announced before the day's hours are read, and what was read replaces the announcement only if it still stands there.
 * D2 Whoever writes usage of a day that is over takes the day's row away afterwards, announced or whole.
 * So a whole row never lacks what was written before it was read: either its maker has read that too, or the row is gone.
 */
export interface DayRows {
  /** The days that have a whole row and begin in the span, in order. Those of others, and of days without usage, are missing. */
  read(
    scope: TenantScope,
    span: { fromMs: number; toMs: number },
  ): AsyncIterable<{ startMs: number; groups: readonly GroupSums[] }>
  /** Makes the row anew. `changed`: usage was written meanwhile, another try is for later. `too-large`: its hours do as they are. */
  make(scope: TenantScope, dayStartMs: number): Promise<'made' | 'changed' | 'too-large'>
  /** D2, after usage of this time was written. False where the day is not over: then there is no row, and there will be one. */
  invalidate(scope: TenantScope, atMs: number): Promise<boolean>
}

export const DAY_MS = 86_400_000
export const dayStartOf = (ms: number) => Math.floor(ms / DAY_MS) * DAY_MS

/** Rows are made so long after their day: most of what comes late has come, and by less no two clocks of ours differ (D2). */
export const DAY_ROW_AFTER_MS = 3 * 3_600_000

export function createDayRows({ storage, clock }: { storage: StorageAccount; clock: Clock }): DayRows {
  const days = tenantTable<UsageColumns>(storage.table(dayTable))
  const fine = tenantTable<UsageColumns>(storage.table(usageTable))

  return {
    read: async function* (scope, { fromMs, toMs }) {
      if (fromMs >= toMs) return
      for await (const { rowKey, columns } of days.range(scope, dayText(fromMs), dayText(toMs))) {
        if (columns['whole'] !== true) continue
        yield { startMs: startOfDayText(rowKey), groups: decodeGroups(fromUsageColumns<StoredGroup[]>(columns)) }
      }
    },
    make: async (scope, dayStartMs) => {
      assert(clock.now() >= dayStartMs + DAY_MS + DAY_ROW_AFTER_MS, 'a day has a row when it has been over for a while')
      const rowKey = dayText(dayStartMs)
      await days.put(scope, rowKey, { whole: false })
      const announced = await days.get(scope, rowKey)
      if (!announced) return 'changed'
      const span = { fromMs: dayStartMs, toMs: dayStartMs + DAY_MS }
      const totals = new GroupTotals()
      for await (const { groups } of readUsage(fine.partition(scope), span)) totals.add(groups)
      const columns = toUsageColumns(encodeGroups(totals.groups()))
      if (!columns) return 'too-large'
      const result = await days.replace(scope, rowKey, { whole: true, ...columns }, announced.etag)
      return result.kind === 'written' ? 'made' : 'changed'
    },
    invalidate: async (scope, atMs) => {
      const dayStartMs = dayStartOf(atMs)
      // No clock of ours is so far ahead that the day has a row.
      if (clock.now() < dayStartMs + DAY_MS) return false
      await days.remove(scope, dayText(dayStartMs))
      return true
    },
  }
}
