/**
 * NCRONTAB, the schedule syntax of timer triggers: `second minute hour day month day-of-week`, UTC; with five fields
 * the second is 0. `*`, lists, ranges, steps and English names of months and days (three letters or full).
 * Other than in Unix cron a day must match day of month AND day of week. Sunday is 0 (and 7 is refused).
 */
export interface Schedule {
  /** The first occurrence after `afterMs` (epoch); undefined when there is none within 50 years. */
  next(afterMs: number): number | undefined
}

const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'] // prettier-ignore
const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const FIELDS = [
  { name: 'second', min: 0, max: 59, words: [] },
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day', min: 1, max: 31, words: [] },
  { name: 'month', min: 1, max: 12, words: MONTHS },
  { name: 'day of week', min: 0, max: 6, words: DAYS },
] as const
/** 29 February on a given weekday can be 40 years away, over a century that is no leap year. */
const YEARS_MAX = 50

type Field = (typeof FIELDS)[number]

/** Throws an Error that names the field at fault. */
export function parseNcrontab(expression: string): Schedule {
  const parts = expression.trim().split(/\s+/)
  if (parts.length === 5) parts.unshift('0')
  if (parts.length !== 6) throw new Error(`"${expression}" has ${parts.length} fields, a schedule has 5 or 6`)
  const [seconds, minutes, hours, days, months, weekdays] = FIELDS.map((field, i) =>
    parseField(parts[i] ?? '', field, expression),
  ) as [Set<number>, Set<number>, Set<number>, Set<number>, Set<number>, Set<number>]

  const dayMatches = (date: Date) =>
    months.has(date.getUTCMonth() + 1) && days.has(date.getUTCDate()) && weekdays.has(date.getUTCDay())
  return { next: (afterMs) => search(afterMs, { seconds, minutes, hours, dayMatches }) }
}

function search(
  afterMs: number,
  fields: { seconds: Set<number>; minutes: Set<number>; hours: Set<number>; dayMatches: (date: Date) => boolean },
): number | undefined {
  const date = new Date(Math.floor(afterMs / 1_000) * 1_000 + 1_000)
  const yearMax = date.getUTCFullYear() + YEARS_MAX
  while (date.getUTCFullYear() <= yearMax) {
    if (!fields.dayMatches(date)) date.setUTCHours(24, 0, 0, 0)
    else if (!fields.hours.has(date.getUTCHours())) date.setUTCHours(date.getUTCHours() + 1, 0, 0, 0)
    else if (!fields.minutes.has(date.getUTCMinutes())) date.setUTCMinutes(date.getUTCMinutes() + 1, 0, 0)
    else if (!fields.seconds.has(date.getUTCSeconds())) date.setUTCSeconds(date.getUTCSeconds() + 1, 0)
    else return date.getTime()
  }
  return undefined
}

function parseField(text: string, field: Field, expression: string): Set<number> {
  const values = new Set<number>()
  for (const item of text.split(',')) {
    const match = /^(\*|[a-z\d]+)(?:-([a-z\d]+))?(?:\/(\d+))?$/i.exec(item)
    const range = match && rangeOf(match[1] ?? '', match[2], match[3], field)
    if (!range) throw new Error(`"${expression}": "${item}" is no ${field.name}`)
    for (let value = range.from; value <= range.to; value += range.step) values.add(value)
  }
  return values
}

function rangeOf(first: string, last: string | undefined, stepText: string | undefined, field: Field) {
  const step = stepText === undefined ? 1 : Number(stepText)
  if (step < 1) return undefined
  if (first === '*') return last === undefined ? { from: field.min, to: field.max, step } : undefined
  const from = valueOf(first, field)
  // `5/15` runs from 5 to the end of the field, as NCrontab has it.
  const to = last !== undefined ? valueOf(last, field) : stepText === undefined ? from : field.max
  if (from === undefined || to === undefined || to < from) return undefined
  return { from, to, step }
}

function valueOf(text: string, { min, max, words }: Field): number | undefined {
  const lower = text.toLowerCase()
  const index = words.findIndex((word: string) => lower.length >= 3 && word.startsWith(lower))
  const value = index === -1 ? Number(/^\d+$/.test(text) ? text : NaN) : index + min
  return value >= min && value <= max ? value : undefined
}
