import { z } from 'zod'

export const DAY_MS = 86_400_000

/** Days since the beginning of 1970, UTC: what observations and forecasts are numbered by. */
export type DayNumber = number

export const dayOf = (ms: number): DayNumber => Math.floor(ms / DAY_MS)
export const startOfDay = (day: DayNumber): number => day * DAY_MS
/** `2026-11-21` */
export const dateOf = (day: DayNumber): string => new Date(startOfDay(day)).toISOString().slice(0, 10)
/** The first day of the month that the day is in. */
export const monthStartOf = (day: DayNumber): DayNumber => day - (new Date(startOfDay(day)).getUTCDate() - 1)

export const dateInput = z.iso
  .date('Must be a day: 2026-01-31')
  .refine((text) => text >= '2020-01-01' && text < '2100-01-01', 'Must be a day from 2020-01-01 to 2099-12-31')
