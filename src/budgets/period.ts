import type { BudgetName } from '../tenants/budget'
import type { Measure } from './amount'

/** The time for which a budget is set: a day or a calendar month, UTC. */
export type Period = 'day' | 'month'

export const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export const periodOf: Readonly<Record<BudgetName, Period>> = {
  tokensPerDay: 'day',
  tokensPerMonth: 'month',
  microUsdPerDay: 'day',
  microUsdPerMonth: 'month',
}

export const measureOf: Readonly<Record<BudgetName, Measure>> = {
  tokensPerDay: 'tokens',
  tokensPerMonth: 'tokens',
  microUsdPerDay: 'microUsd',
  microUsdPerMonth: 'microUsd',
}

/** Hours are counted since the Unix epoch, so every period begins with a whole one. */
export const hourAt = (timeMs: number): number => Math.floor(timeMs / HOUR_MS)

export function periodStartMs(period: Period, timeMs: number): number {
  if (period === 'day') return Math.floor(timeMs / DAY_MS) * DAY_MS
  const time = new Date(timeMs)
  return Date.UTC(time.getUTCFullYear(), time.getUTCMonth())
}

/** The first moment at which all of the budget is there again. */
export function renewsAtMs(period: Period, timeMs: number): number {
  if (period === 'day') return periodStartMs('day', timeMs) + DAY_MS
  const time = new Date(timeMs)
  return Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + 1)
}

export const firstHourOf = (period: Period, timeMs: number): number => hourAt(periodStartMs(period, timeMs))
