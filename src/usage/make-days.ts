import type { Clock } from '../base/clock'
import type { Log } from '../base/log'
import { TimeBox } from '../base/time-box'
import { TenantScope } from '../storage/tenant-scope'
import type { BlobCursors, DueDay } from './blob-cursors'
import { DAY_ROW_AFTER_MS, dayStartOf, type DayRows } from './day-rows'
import { inParallel } from '../base/in-parallel'
import { dayText } from './usage-rows'

interface Deps {
  readonly clock: Clock
  readonly cursors: BlobCursors
  readonly days: DayRows
  readonly log: Log
}

/** Taken up together; bounds what is in memory. */
const DUE_AT_ONCE = 200
const MADE_AT_ONCE_MAX = 8
/** Below the half hour that the Functions host gives an invocation; the next one goes on with what is still due. */
const RUN_MS_MAX = 10 * 60_000

/**
 * Makes the rows of days that are over, each on behalf of its tenant alone (I4). Twice at once, late or broken off: a day stays due
 * until its row is made, and a row that is made again is the same.
 */
export async function makeDays(deps: Deps): Promise<void> {
  const { clock, cursors } = deps
  const time = new TimeBox(clock, RUN_MS_MAX)
  let taken: DueDay[] = []
  for await (const due of time.within(cursors.dueDays(dayStartOf(clock.now() - DAY_ROW_AFTER_MS)))) {
    if (taken.push(due) < DUE_AT_ONCE) continue
    await inParallel(taken, MADE_AT_ONCE_MAX, (one) => makeDay(deps, one))
    taken = []
  }
  await inParallel(taken, MADE_AT_ONCE_MAX, (one) => makeDay(deps, one))
}

async function makeDay({ cursors, days, log }: Deps, due: DueDay): Promise<void> {
  const { tenantId, dayStartMs } = due
  const made = await days.make(TenantScope.ofPlatform(tenantId), dayStartMs)
  if (made === 'changed') return
  if (made === 'too-large')
    log.warn('a day of usage is too large for one row; its hours stay', { tenantId, day: dayText(dayStartMs) })
  await cursors.forgetDueDay(due)
}
