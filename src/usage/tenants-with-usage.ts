import type { Clock } from '../base/clock'
import { eachOnce } from '../base/each-once'
import type { TenantId } from '../base/ids'
import { HOUR_MS } from '../metering/log-blob-name'
import type { StorageAccount } from '../storage/connect'
import { partitionTable } from '../storage/partition-table'
import { hourStartOf } from './blob-cursors'
import { DAY_MS, dayStartOf } from './day-rows'
import { tenantNotes } from './tenant-notes'
import { minutesKeptFrom } from './usage-reader'
import { cursorTable } from './usage-tables'

/**
 * Who used anything: a cross-tenant reader (I4), of ids alone. The roll-up notes each tenant before it writes a row of it.
 *
 * In order of their ids, each once, read page by page. None is missing that a row of the span is of; near the ends of the span it may
 * name some who used something in the same hour only (a span of up to two days within MINUTES_KEPT_MS), the same day (up to 62 days) or
 * the same month.
 */
export type TenantsWithUsage = (span: { readonly fromMs: number; readonly toMs: number }) => AsyncIterable<TenantId>

/** As many pages of ids are in memory at one time. */
const HOURS_MAX = 48
const DAYS_MAX = 62

export function createTenantsWithUsage({
  storage,
  clock,
}: {
  storage: StorageAccount
  clock: Clock
}): TenantsWithUsage {
  const table = storage.table(cursorTable)
  const tenantsIn = async function* (partition: string): AsyncGenerator<TenantId> {
    for await (const { rowKey } of partitionTable<{}>(table, partition).range('', '~')) yield rowKey as TenantId
  }
  return (span) => eachOnce(notesOf(span, clock.now()).map(tenantsIn))
}

/** The partitions of notes that cover the span. Those of hours are forgotten when the hour has been compacted. */
function notesOf({ fromMs, toMs }: { fromMs: number; toMs: number }, nowMs: number): string[] {
  if (fromMs >= toMs) return []
  const lastMs = toMs - 1
  if (fromMs >= minutesKeptFrom(nowMs) && lastMs - hourStartOf(fromMs) < HOURS_MAX * HOUR_MS)
    return startsOf(hourStartOf(fromMs), lastMs, HOUR_MS).map(tenantNotes.hour)
  if (lastMs - dayStartOf(fromMs) < DAYS_MAX * DAY_MS)
    return startsOf(dayStartOf(fromMs), lastMs, DAY_MS).map(tenantNotes.day)
  return [...new Set(startsOf(dayStartOf(fromMs), lastMs, DAY_MS).map(tenantNotes.month))]
}

const startsOf = (firstMs: number, lastMs: number, stepMs: number): number[] =>
  Array.from({ length: Math.floor((lastMs - firstMs) / stepMs) + 1 }, (_, i) => firstMs + i * stepMs)
