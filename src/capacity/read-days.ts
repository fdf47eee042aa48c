import type { TenantScope } from '../storage/tenant-scope'
import { minutesKeptFrom, type UsageReader } from '../usage/usage-reader'
import type { GroupSums } from '../usage/usage-sums'
import { DAY_MS, dayOf, startOfDay, type DayNumber } from './day'

/** Days of whose hours a profile is made. */
export const HOURLY_DAYS = 28
/** A run may take so long: what is kept by minutes at its beginning and not at its end is read by hours from the start. */
const KEPT_MARGIN_MS = 3_600_000

/** From which day on whole days can be had by minutes, for as long as a run may take. */
export const minutesFromDay = (nowMs: number): DayNumber =>
  Math.ceil((minutesKeptFrom(nowMs) + KEPT_MARGIN_MS) / DAY_MS)

/**
 * A tenant’s usage of whole days, both ends included, each piece as fine as it is worth: minutes where they are kept, hours for the
 * weeks before, and days beyond.
 */
export async function* readDays(
  usage: UsageReader,
  scope: TenantScope,
  { from, through, nowMs }: { from: DayNumber; through: DayNumber; nowMs: number },
): AsyncGenerator<{ startMs: number; groups: readonly GroupSums[] }> {
  const borders = [dayOf(nowMs) - HOURLY_DAYS, minutesFromDay(nowMs)]
  const widths = ['day', 'hour', 'minute'] as const
  let first = from
  for (const [i, width] of widths.entries()) {
    const end = Math.min(through + 1, borders[i] ?? Infinity)
    if (end <= first) continue
    yield* usage.read(scope, { fromMs: startOfDay(first), toMs: startOfDay(end) }, width)
    first = end
  }
}
