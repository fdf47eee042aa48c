import type { TenantScope } from '../storage/tenant-scope'
import { isNothing, type Amount } from './amount'
import type { BudgetState, HourSpend } from './budget-state'
import type { BudgetSubject } from './budget-store'
import { firstHourOf, HOUR_MS, hourAt } from './period'
import type { Truth } from './renew-budget'

/** What the usage log says that a subject's calls of a span used. Throws where the log could not be read to its end. */
export type SpentByLog = (
  scope: TenantScope,
  subject: BudgetSubject,
  span: { readonly fromMs: number; readonly toMs: number },
) => Promise<Amount>

/**
 * So long after its end an hour is counted by the log. The longest call that began in it has ended (20 minutes), and nobody writes
 * under a claim of it any more (an hour, `LATE_CLOSED_AFTER_MS`); the rest is for a log that was slow.
 */
export const CLOSED_AFTER_MS = 75 * 60_000

/**
 * What the log has learnt even later, of a batch's lines of the day before or after an outage of storage, is found once a day: the month
 * so far is counted anew from its begin, by the first true-up that counts this hour of the day, UTC. By then all claims of the day
 * before are closed.
 */
const RECOUNTED_HOUR = 2

export const closedHourAt = (nowMs: number): number => hourAt(nowMs - CLOSED_AFTER_MS)

/** From which hour on the log has to be asked, of a row that it has counted up to `trueUpToHour`. */
export function countFromHour({ trueUpToHour, toHour }: { trueUpToHour: number; toHour: number }): number {
  const recounts = (hour: number) => Math.floor((hour - 1 - RECOUNTED_HOUR) / 24)
  if (recounts(toHour) === recounts(trueUpToHour)) return trueUpToHour
  return Math.min(trueUpToHour, firstHourOf('month', (toHour - 1) * HOUR_MS))
}

/** A row that begins: this month so far by the usage log. What is under way now shows when its hour is counted anew. */
export async function seedBudget(spentIn: SpentIn, nowMs: number): Promise<BudgetState> {
  const month = firstHourOf('month', nowMs)
  const closed = Math.max(month, closedHourAt(nowMs))
  const cuts = [month, firstHourOf('day', nowMs), closed, hourAt(nowMs) + 1]
  return { asOfMs: nowMs, trueUpToHour: closed, spent: await between(spentIn, cuts), holders: new Map() }
}

/** What the log says of the hours from `fromHour` up to `toHour`, today's apart from those before. */
export async function truthOf(
  spentIn: SpentIn,
  { fromHour, toHour, nowMs }: { fromHour: number; toHour: number; nowMs: number },
): Promise<Truth> {
  const today = Math.min(Math.max(firstHourOf('day', nowMs), fromHour), toHour)
  return { fromHour, toHour, spent: await between(spentIn, [fromHour, today, toHour]) }
}

type SpentIn = (span: { readonly fromMs: number; readonly toMs: number }) => Promise<Amount>

/** Each sum stands in the first hour of its stretch, so no stretch may go over a period's begin. */
async function between(spentIn: SpentIn, cuts: readonly number[]): Promise<readonly HourSpend[]> {
  const hours = [...new Set(cuts)].sort((a, b) => a - b)
  const spends = await Promise.all(
    hours.slice(0, -1).map(async (hour, i) => {
      const span = { fromMs: hour * HOUR_MS, toMs: (hours[i + 1] ?? hour) * HOUR_MS }
      return { hour, ...(await spentIn(span)) }
    }),
  )
  return spends.filter((spend) => !isNothing(spend))
}
