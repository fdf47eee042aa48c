import { z } from 'zod'
import { assertNever } from '../base/assert'
import { Problem } from '../base/problem'
import { HOUR_MS } from '../metering/log-blob-name'
import { hourStartOf } from './blob-cursors'
import { DAY_MS } from './day-rows'
import { readCursor } from './usage-cursor'
import { minutesKeptFrom } from './usage-reader'
import { MINUTE_MS } from './usage-rows'
import { groupFields, type GroupField } from './usage-sums'

/** A usage query with its bounds checked and its span in whole minutes, or in whole hours where minutes are not kept. */
export interface UsageQuery {
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
  readonly groupBy: readonly GroupField[]
  readonly interval: Interval
  readonly format: UsageFormat
  /** Rows in one answer. */
  readonly limit: number
  /** The key of the last row of the page before; empty for the first page. */
  readonly afterKey: string
}

export const intervals = ['minute', 'hour', 'day', 'month', 'none'] as const
export type Interval = (typeof intervals)[number]

export const usageFormats = ['json', 'csv'] as const
export type UsageFormat = (typeof usageFormats)[number]

/** Of one answer; those beyond are on further pages. */
export const REPORT_ROWS_MAX = 10_000

const SPAN_MS_DEFAULT = DAY_MS
const CURSOR_CHARACTERS_MAX = 6_000

/** The longest span of a query, by interval; it bounds what is read. */
const spanMsMax: Record<Interval, number> = {
  minute: DAY_MS,
  hour: 31 * DAY_MS,
  day: 366 * DAY_MS,
  month: 366 * DAY_MS,
  none: 366 * DAY_MS,
}

const time = z.union([z.iso.datetime({ offset: true }), z.iso.date()], {
  error: 'Must be a date (2026-01-31) or a date and time with its zone (2026-01-31T08:00:00Z)',
})

const listOfGroups = `Must be a comma-separated list of: ${groupFields.join(', ')}`

const limitRule = `Must be a whole number from 1 to ${REPORT_ROWS_MAX}`
const afterRule = 'Must be the "next" of an answer with the same groupBy and interval'

/** As it comes in the query string. */
export const usageQueryInput = z.strictObject({
  from: time.optional().meta({ description: '24 hours before `to` by default.' }),
  to: time.optional().meta({ description: 'Exclusive; now by default.' }),
  groupBy: z
    .string()
    .transform((text) => [...new Set(text === '' ? [] : text.split(',').map((field) => field.trim()))])
    .pipe(z.array(z.enum(groupFields, { error: listOfGroups }), { error: listOfGroups }))
    .default([])
    .meta({ description: listOfGroups }),
  interval: z.enum(intervals, { error: `Must be one of: ${intervals.join(', ')}` }).default('none'),
  format: z.enum(usageFormats, { error: `Must be one of: ${usageFormats.join(', ')}` }).default('json'),
  limit: z
    .string()
    .regex(/^\d{1,9}$/, { error: limitRule })
    .transform(Number)
    .pipe(z.int().min(1, { error: limitRule }).max(REPORT_ROWS_MAX, { error: limitRule }))
    .optional()
    .meta({ description: `The most rows that the answer may have; ${REPORT_ROWS_MAX} by default.` }),
  after: z.string().max(CURSOR_CHARACTERS_MAX, { error: afterRule }).optional().meta({
    description: 'The `next` of the page before, with the same groupBy and interval; its span is that page’s.',
  }),
})

export const platformGroupFields = ['tenant', ...groupFields] as const

/** As operators send it; `queryPlatformUsage` takes what is more in it out before the rest is parsed. */
export const platformUsageQueryInput = usageQueryInput.extend({
  tenant: z.string().optional().meta({ description: 'The tenant whose usage it is; absent with `tenant` in groupBy.' }),
  groupBy: z
    .string()
    .optional()
    .meta({ description: `Must be a comma-separated list of: ${platformGroupFields.join(', ')}` }),
})

/**
 * Reads the raw query. `to` is now by default, `from` 24 hours before `to`. The span is widened to whole minutes, and to
 * whole hours at an end that lies longer back than MINUTES_KEPT_MS. A problem names the field and what would be valid.
 */
export function parseUsageQuery(raw: Readonly<Record<string, unknown>>, nowMs: number): UsageQuery | Problem {
  const parsed = usageQueryInput.safeParse(raw)
  if (!parsed.success) return problemOf(parsed.error)
  const { groupBy, interval, format, limit = REPORT_ROWS_MAX, after } = parsed.data
  const cursor = after === undefined ? undefined : readCursor(after, { groupBy, interval })
  if (after !== undefined && !cursor) return invalid('after', afterRule)
  const to = cursor?.toMs ?? (parsed.data.to === undefined ? nowMs : Date.parse(parsed.data.to))
  const from = cursor?.fromMs ?? (parsed.data.from === undefined ? to - SPAN_MS_DEFAULT : Date.parse(parsed.data.from))
  // A cursor's span has been widened already.
  const span = widened({ from, to, interval, nowMs, toleratedMs: cursor ? 2 * HOUR_MS : 0 })
  if (span instanceof Problem) return span
  return { ...span, groupBy, interval, format, limit, afterKey: cursor?.afterKey ?? '' }
}

function widened({
  from,
  to,
  interval,
  nowMs,
  toleratedMs,
}: {
  from: number
  to: number
  interval: Interval
  nowMs: number
  toleratedMs: number
}): Pick<UsageQuery, 'fromMs' | 'toMs'> | Problem {
  if (from >= to) return invalid('from', 'Must lie before "to"')
  if (to - from > spanMsMax[interval] + toleratedMs) {
    const days = spanMsMax[interval] / DAY_MS
    return invalid(
      'from',
      `Must lie at most ${days} ${days === 1 ? 'day' : 'days'} before "to" with interval=${interval}`,
    )
  }
  const keptFromMs = minutesKeptFrom(nowMs)
  if (interval === 'minute' && from < keptFromMs) {
    return invalid('from', `Must be ${new Date(keptFromMs).toISOString()} or later: minutes are not kept for longer`)
  }
  const unitOf = (ms: number) => (ms < keptFromMs ? HOUR_MS : MINUTE_MS)
  return { fromMs: Math.floor(from / unitOf(from)) * unitOf(from), toMs: Math.ceil(to / unitOf(to)) * unitOf(to) }
}

/** The start of the interval that `ms` lies in, UTC; undefined where the whole span is one. */
export function intervalStart(interval: Interval, ms: number): number | undefined {
  switch (interval) {
    case 'none':
      return undefined
    case 'minute':
      return Math.floor(ms / MINUTE_MS) * MINUTE_MS
    case 'hour':
      return hourStartOf(ms)
    case 'day':
      return Math.floor(ms / DAY_MS) * DAY_MS
    case 'month':
      return Date.UTC(new Date(ms).getUTCFullYear(), new Date(ms).getUTCMonth())
    default:
      return assertNever(interval)
  }
}

/** How fine usage has to be read for the interval. */
export function widthOf(interval: Interval): 'minute' | 'hour' | 'day' {
  return interval === 'minute' || interval === 'hour' ? interval : 'day'
}

function problemOf(error: z.ZodError): Problem {
  const errors = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((path) => ({
          path,
          message: 'Is not known here. Known are: from, to, groupBy, interval, format, limit, after',
        }))
      : [{ path: String(issue.path[0] ?? ''), message: issue.message }],
  )
  const [first = { path: '', message: 'Is not valid' }] = errors
  return new Problem('invalid_request', `${first.path}: ${first.message}`, { param: first.path, errors })
}

const invalid = (param: string, message: string) =>
  new Problem('invalid_request', `${param}: ${message}`, { param, errors: [{ path: param, message }] })
