import { DAY_MS, dayStartOf } from './day-rows'

/** Days, ISO weeks (Monday to Sunday) and months, all UTC: `2026-11-21`, `2026-W47`, `2026-11`. */
export const periodKinds = ['day', 'week', 'month'] as const
export type PeriodKind = (typeof periodKinds)[number]
export type PeriodName = `${number}-${string}`

export interface Period {
  readonly kind: PeriodKind
  readonly name: PeriodName
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
}

/** The period that `ms` lies in. */
export function periodAt(kind: PeriodKind, ms: number): Period {
  const fromMs = startOf(kind, ms)
  return { kind, name: nameOf(kind, fromMs), fromMs, toMs: endOf(kind, fromMs) }
}

/** Undefined for what names no period: `2026-02-30`, `2026-W54`. */
export function parsePeriod(text: string): Period | undefined {
  const kind = (/^\d{4}-\d{2}-\d{2}$/.test(text) && 'day') || (/^\d{4}-W\d{2}$/.test(text) && 'week') || 'month'
  const ms = kind === 'week' ? weekStart(text) : Date.parse(kind === 'day' ? text : `${text}-01`)
  if (!Number.isFinite(ms)) return undefined
  const period = periodAt(kind, ms)
  return period.name === text ? period : undefined
}

function startOf(kind: PeriodKind, ms: number): number {
  const day = dayStartOf(ms)
  if (kind === 'day') return day
  if (kind === 'week') return day - weekdayOf(day) * DAY_MS
  return Date.UTC(new Date(ms).getUTCFullYear(), new Date(ms).getUTCMonth())
}

function endOf(kind: PeriodKind, fromMs: number): number {
  if (kind !== 'month') return fromMs + (kind === 'day' ? 1 : 7) * DAY_MS
  return Date.UTC(new Date(fromMs).getUTCFullYear(), new Date(fromMs).getUTCMonth() + 1)
}

function nameOf(kind: PeriodKind, fromMs: number): PeriodName {
  const text = new Date(fromMs).toISOString()
  if (kind !== 'week') return text.slice(0, kind === 'day' ? 10 : 7) as PeriodName
  // A week belongs to the year that its Thursday lies in (ISO 8601).
  const year = new Date(fromMs + 3 * DAY_MS).getUTCFullYear()
  const week = 1 + Math.round((fromMs - firstWeekOf(year)) / (7 * DAY_MS))
  return `${year}-W${String(week).padStart(2, '0')}` as PeriodName
}

/** 0 for Monday. */
const weekdayOf = (ms: number) => (new Date(ms).getUTCDay() + 6) % 7

/** The Monday of the week that January 4th lies in. */
function firstWeekOf(year: number): number {
  const fourth = Date.UTC(year, 0, 4)
  return fourth - weekdayOf(fourth) * DAY_MS
}

function weekStart(text: string): number {
  const [year, week] = [Number(text.slice(0, 4)), Number(text.slice(6))]
  return firstWeekOf(year) + (week - 1) * 7 * DAY_MS
}
