import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import { HOUR_MS } from '../metering/log-blob-name'
import type { StorageAccount } from '../storage/connect'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantTable } from '../storage/tenant-table'
import { hourStartOf } from './blob-cursors'
import { MINUTES_KEPT_MS } from './compact-hours'
import { createDayRows, DAY_MS, dayStartOf } from './day-rows'
import { readUsage } from './read-usage'
import type { UsageColumns } from './usage-columns'
import { MINUTE_MS } from './usage-rows'
import type { GroupSums } from './usage-sums'
import { usageTable } from './usage-tables'

/** A tenant's usage, as the roll-up has written it. For what is exact as of now, await `RollUp.run({ fresh: true })` before. */
export interface UsageReader {
  /**
   * What was used in the span, in pieces in order of time: each call once, in the minute in which it came in. Pieces are at least as
   * fine as `width`, and there may be several of one start. None spans a border of `width`.
   *
   * The span's ends must be whole minutes; whole hours where they lie before `minutesKeptFrom`, and minutes cannot be had of what
   * lies before it. Anything else is a defect and throws. Memory is bounded by the minutes of one hour.
   */
  read(
    scope: TenantScope,
    span: { readonly fromMs: number; readonly toMs: number },
    width: 'minute' | 'hour' | 'day',
  ): AsyncIterable<UsagePiece>
}

export interface UsagePiece {
  readonly startMs: number
  readonly groups: readonly GroupSums[]
}

/** From when on, at present, usage can be had by minutes; the start of an hour. */
export const minutesKeptFrom = (nowMs: number): number => hourStartOf(nowMs - MINUTES_KEPT_MS) + HOUR_MS

export function createUsageReader({ storage, clock }: { storage: StorageAccount; clock: Clock }): UsageReader {
  const rows = tenantTable<UsageColumns>(storage.table(usageTable))
  const days = createDayRows({ storage, clock })

  async function* byDays(scope: TenantScope, { fromMs, toMs }: { fromMs: number; toMs: number }) {
    const fine = rows.partition(scope)
    let readMs = fromMs
    // Only whole days have a row that counts here; the ends of the span are read by hours.
    for await (const day of days.read(scope, { fromMs: dayStartOf(fromMs + DAY_MS - 1), toMs: dayStartOf(toMs) })) {
      if (readMs < day.startMs) yield* readUsage(fine, { fromMs: readMs, toMs: day.startMs })
      yield day
      readMs = day.startMs + DAY_MS
    }
    if (readMs < toMs) yield* readUsage(fine, { fromMs: readMs, toMs })
  }

  return {
    read: (scope, span, width) => {
      // An hour less than is told: whoever asked just before the hour changed is not refused.
      checkSpan(span, width, minutesKeptFrom(clock.now()) - HOUR_MS)
      return width === 'day' ? byDays(scope, span) : readUsage(rows.partition(scope), span)
    },
  }
}

function checkSpan({ fromMs, toMs }: { fromMs: number; toMs: number }, width: string, keptFromMs: number): void {
  for (const ms of [fromMs, toMs])
    assert(ms % (ms < keptFromMs ? HOUR_MS : MINUTE_MS) === 0, `usage is not kept by parts of an hour at ${ms}`)
  assert(width !== 'minute' || fromMs >= keptFromMs, `usage is not kept by minutes at ${fromMs}`)
}
