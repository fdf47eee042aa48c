import { eachOf } from '../src/base/each-of'
import type { TenantId } from '../src/base/ids'
import { parseLogLine } from '../src/metering/log-line'
import type { LogBlobId } from '../src/metering/log-blob-name'
import { changesMax, type RowChange } from '../src/storage/partition-table'
import type { StorageAccount } from '../src/storage/connect'
import { TenantScope } from '../src/storage/tenant-scope'
import { tenantTable } from '../src/storage/tenant-table'
import { mergeGroups } from '../src/usage/merge-groups'
import { rollUp } from '../src/usage/roll-up'
import { toUsageColumns, type UsageColumns } from '../src/usage/usage-columns'
import { dayText, encodeGroups, hourColumns, hourRowKey, hourText } from '../src/usage/usage-rows'
import type { GroupSums } from '../src/usage/usage-sums'
import { dayTable, usageTable } from '../src/usage/usage-tables'
import { callOf, fractions, tenantOf } from './usage-log-maker'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const CALLS_PER_HOUR = 8
const WRITTEN_AT_ONCE = 8

/**
 * The rows of hours and days that the roll-up would have left of so many days before `endMs`, a midnight, written as they are: to log
 * each call and roll it up takes hours on Azurite, which goes through its whole table for each write. They are made of calls by the
 * roll-up's own functions. Each tenant has had one busy hour a day; the first one every hour.
 */
export async function writeMonthRows(
  storage: StorageAccount,
  options: {
    tenants: number
    days: number
    endMs: number
    seed: number
    /** Told of what each tenant used, by the beginnings of days. */
    onTenant?: (scope: TenantScope, byDay: ReadonlyMap<number, readonly GroupSums[]>) => Promise<void>
  },
  onProgress: (tenants: number) => void,
): Promise<void> {
  const { tenants, days, endMs, seed, onTenant } = options
  const chance = fractions(seed)
  const hours = tenantTable<UsageColumns>(storage.table(usageTable))
  const wholeDays = tenantTable<UsageColumns>(storage.table(dayTable))
  let done = 0
  await eachOf(numbersTo(tenants), WRITTEN_AT_ONCE, async (tenant) => {
    const scope = TenantScope.ofPlatform(tenantOf(tenant))
    const hourRows: RowChange<UsageColumns>[] = []
    const dayRows: RowChange<UsageColumns>[] = []
    const byDay = new Map<number, readonly GroupSums[]>()
    for (let dayMs = endMs - days * DAY_MS; dayMs < endMs; dayMs += DAY_MS) {
      const ofDay: GroupSums[] = []
      for (let hour = 0; hour < 24; hour++) {
        if (tenant > 0 && tenant % 24 !== hour) continue
        const hourMs = dayMs + hour * HOUR_MS
        const blobId: LogBlobId = `${Number(hourText(hourMs))}-ins_month-000001`
        const groups = groupsOf(blobId, scope.tenantId, hourMs, chance)
        hourRows.push({
          kind: 'put',
          rowKey: hourRowKey(hourMs),
          columns: fitting(hourColumns({ blobIds: [blobId], groups })),
        })
        ofDay.push(...groups)
      }
      byDay.set(dayMs, ofDay)
      const columns = fitting(toUsageColumns(encodeGroups(mergeGroups(ofDay))))
      dayRows.push({ kind: 'put', rowKey: dayText(dayMs), columns: { whole: true, ...columns } })
    }
    for (let at = 0; at < hourRows.length; at += changesMax)
      await hours.partition(scope).change(hourRows.slice(at, at + changesMax))
    for (let at = 0; at < dayRows.length; at += changesMax)
      await wholeDays.partition(scope).change(dayRows.slice(at, at + changesMax))
    await onTenant?.(scope, byDay)
    onProgress(++done)
  })
}

function groupsOf(blobId: LogBlobId, tenantId: TenantId, hourMs: number, chance: () => number): GroupSums[] {
  const calls = Array.from({ length: CALLS_PER_HOUR }, (_, n) =>
    callOf({ n, tenantId, startedAt: hourMs + n * 60_000, chance }),
  )
  const lines = calls.flatMap((text) =>
    text
      .trim()
      .split('\n')
      .flatMap((line) => parseLogLine(line) ?? []),
  )
  return mergeGroups(rollUp(blobId, lines).flatMap(({ groups }) => groups))
}

function fitting(columns: UsageColumns | undefined): UsageColumns {
  if (!columns) throw new Error('the usage of one tenant does not fit a row')
  return columns
}

async function* numbersTo(end: number): AsyncGenerator<number> {
  for (let number = 0; number < end; number++) yield number
}
