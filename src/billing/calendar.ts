import { z } from 'zod'

/** A day of the calendar in UTC: `2026-01-31`. Days sort as texts. */
export type Day = `${number}-${number}-${number}`
/** A calendar month in UTC: `2026-01`; what an invoice is of. Months sort as texts. */
export type Period = `${number}-${number}`

export const DAY_MS = 86_400_000
export const HOURS_PER_DAY = 24

const PERIOD = /^\d{4}-(0[1-9]|1[0-2])$/

export const dayOf = (ms: number): Day => new Date(ms).toISOString().slice(0, 10) as Day
export const dayStartMs = (day: Day): number => Date.parse(day)
export const dayAfter = (day: Day, days = 1): Day => dayOf(dayStartMs(day) + days * DAY_MS)

export const periodOf = (day: Day): Period => day.slice(0, 7) as Period
export const firstDayOf = (period: Period): Day => `${period}-01` as Day
export const periodAfter = (period: Period): Period => periodOf(dayAfter(firstDayOf(period), 31))
export const periodBefore = (period: Period): Period => periodOf(dayAfter(firstDayOf(period), -1))
/** The first day that is not of it any more. */
export const dayBehind = (period: Period): Day => firstDayOf(periodAfter(period))
export const parsePeriod = (text: string): Period | undefined => (PERIOD.test(text) ? (text as Period) : undefined)

/** `to` exclusive. */
export function daysBetween(from: Day, to: Day): Day[] {
  const days: Day[] = []
  for (let day = from; day < to; day = dayAfter(day)) days.push(day)
  return days
}

export const daysOf = (period: Period): Day[] => daysBetween(firstDayOf(period), dayBehind(period))

/** The earlier or the later of two days, or of two months. */
export const earlier = <T extends Day | Period>(a: T, b: T): T => (a < b ? a : b)
export const later = <T extends Day | Period>(a: T, b: T): T => (a > b ? a : b)

export const dayInput = z.iso
  .date('Must be a day: 2026-01-31')
  .refine((text) => text >= '2020-01-01' && text < '2100-01-01', 'Must be a day from 2020-01-01 to 2099-12-31')
  .transform((text) => text as Day)

export const periodInput = z
  .string()
  .regex(PERIOD, 'Must be a month: 2026-01')
  .transform((text) => text as Period)
