import { dayText, hourText } from './usage-rows'

/** Partitions of notes on who used something: of the hour, the day or the month in which `ms` lies. */
export const tenantNotes = {
  hour: (ms: number) => `tenants-${hourText(ms)}`,
  day: (ms: number) => `tenants-${dayText(ms)}`,
  month: (ms: number) => `tenants-${dayText(ms).slice(0, 6)}`,
}

/** Tenants and days whose row is to be made, by `dueKey`. */
export const dueDays = 'days-due'
export const dueKey = (ms: number, tenantId: string) => `${dayText(ms)}_${tenantId}`
