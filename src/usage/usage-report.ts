import { z } from 'zod'
import { percentileFields } from './usage-percentiles'
import { parsePeriod, periodKinds } from './report-period'
import { intervals, platformGroupFields } from './usage-query'
import { groupFields, sumFields } from './usage-sums'

const fields = <Name extends string, Field extends z.ZodType>(names: readonly Name[], field: Field) =>
  Object.fromEntries(names.map((name) => [name, field])) as Record<Name, Field>

const percentile = z.number().nullable().meta({
  description: 'Milliseconds, within 1 % of the true ones; null where there were no such calls.',
})
const figures = z.object({ ...fields(sumFields, z.number()), ...fields(percentileFields, percentile) })

const row = figures.extend({
  ...fields(groupFields, z.string().nullable().optional()),
  start: z.iso.datetime().optional().meta({ description: 'Start of the interval; absent with interval=none.' }),
})

const span = { from: z.iso.datetime(), to: z.iso.datetime().meta({ description: 'Exclusive.' }) }
const next = z.string().optional().meta({ description: 'For the `after` of the next page; absent on the last one.' })

/** The answer of `queryUsage`, for the API's documentation. */
export const usageReport = z
  .object({
    ...span,
    interval: z.enum(intervals),
    groupBy: z.array(z.enum(groupFields)),
    totals: figures.meta({ description: 'Of the whole span, the rows of other pages included.' }),
    rows: z.array(row),
    next,
  })
  .meta({ id: 'UsageReport' })

/** The answer of `queryPlatformUsage`. */
export const platformUsageReport = z
  .object({
    ...span,
    interval: z.enum(intervals),
    groupBy: z.array(z.enum(platformGroupFields)),
    totals: figures.optional().meta({ description: 'Of one tenant; absent where rows are of many.' }),
    rows: z.array(row.extend({ tenant: z.string().optional() })),
    next,
  })
  .meta({ id: 'PlatformUsageReport' })

const PERIOD_RULE = 'Must be a day (2026-01-31), an ISO week (2026-W05) or a month (2026-01)'

export const periodName = z
  .string()
  .regex(/^\d{4}-(\d{2}-\d{2}|W\d{2}|\d{2})$/, { error: PERIOD_RULE })
  .refine((text) => parsePeriod(text) !== undefined, { error: PERIOD_RULE })

export const periodReportHead = z.object({
  period: z.string(),
  kind: z.enum(periodKinds),
  ...span,
  asOf: z.iso.datetime().meta({ description: 'When the usage log was read for it.' }),
  isFinal: z.boolean().meta({ description: 'False while late usage (a batch’s lines, a training) may still come.' }),
})

const shares = z.object({
  rows: z.array(figures.extend({ name: z.string() })).meta({ description: 'The dearest ones, by cost.' }),
  others: figures.nullable().meta({ description: 'What those beyond used together.' }),
})

export const periodReport = periodReportHead
  .extend({
    totals: figures,
    days: z.array(figures.extend({ start: z.iso.datetime() })).meta({ description: 'Of weeks and months.' }),
    aliases: shares,
    keys: shares,
  })
  .meta({ id: 'UsagePeriodReport' })
