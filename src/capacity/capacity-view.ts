import { z } from 'zod'
import { csvOf } from '../base/csv'
import { dateOf, type DayNumber } from './day'
import { INTERVAL_SHARE, type SeriesForecast } from './forecast/forecast-series'
import type { LimitOutlook } from './limit-outlook'
import { metrics, type Metric } from './observed-days'
import { fullness, HORIZON_DAYS, subjectIdOf, type CapacitySubject, type Outlook } from './outlook'
import type { CapacityRun } from './run'

const shownLimit = z
  .object({
    name: z.string(),
    limit: z.int(),
    used: z.int().meta({
      description:
        'Of a limit a minute, in the fullest minute of the last week; of a budget a day, on its largest day; of a budget a month, this month so far.',
    }),
    usedShare: z.number(),
    expectedOn: z.iso
      .date()
      .optional()
      .meta({ description: `When it is expected to be reached; absent where not within ${HORIZON_DAYS} days.` }),
    earliestOn: z.iso.date().optional().meta({ description: 'By the upper bound of the interval.' }),
  })
  .meta({ id: 'LimitOutlook' })

const shownSeries = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('forecast'),
      method: z.enum(['trend', 'irregular']),
      growthPerDay: z.number().meta({ description: 'Of the level, now; it lessens with time. 0.01 is one percent.' }),
      daysSinceShift: z.int().optional().meta({ description: 'Since the level last became another one all at once.' }),
      daysKnown: z.int(),
      days: z.array(z.object({ date: z.iso.date(), expected: z.int(), lower: z.int(), upper: z.int() })),
    }),
    z.object({ kind: z.literal('not-enough-history'), daysKnown: z.int(), daysNeeded: z.int() }),
    z.object({ kind: z.literal('idle'), daysIdle: z.int() }),
  ])
  .meta({ id: 'SeriesForecast' })

/** One tenant's, or one deployment's. */
export const shownOutlook = z
  .object({
    through: z.iso
      .date()
      .optional()
      .meta({ description: 'The last day that was observed; absent where nothing was yet.' }),
    intervalShare: z.number().meta({ description: 'Of what comes, what lies between `lower` and `upper`.' }),
    limits: z.array(shownLimit),
    forecasts: z
      .object({
        requests: shownSeries.optional(),
        tokens: shownSeries.optional(),
        costMicroUsd: shownSeries.optional(),
        peakRequests: shownSeries.optional(),
        peakTokens: shownSeries.optional(),
        peakLoad: shownSeries.optional(),
      })
      .meta({ description: 'By day: sums, and what is used in the fullest minute (`peak…`).' }),
  })
  .meta({ id: 'CapacityOutlook' })

export const DAYS_SHOWN = { most: HORIZON_DAYS, usual: 30 }

export function outlookView(outlook: Outlook | undefined, days: number): z.infer<typeof shownOutlook> {
  if (!outlook) return { intervalShare: INTERVAL_SHARE, limits: [], forecasts: {} }
  const { through, limits, forecasts } = outlook
  return {
    through: dateOf(through),
    intervalShare: INTERVAL_SHARE,
    limits: limits.map((limit) => limitView(limit, through)),
    forecasts: Object.fromEntries(
      metrics.flatMap((metric: Metric) => {
        const forecast = forecasts[metric]
        return forecast ? [[metric, seriesView(forecast, { through, days })]] : []
      }),
    ),
  }
}

function limitView(limit: LimitOutlook, through: DayNumber): z.infer<typeof shownLimit> {
  const { name, used, expectedInDays, earliestInDays } = limit
  return {
    name,
    limit: limit.limit,
    used,
    usedShare: Number(fullness(limit).toFixed(4)),
    ...(expectedInDays === undefined ? {} : { expectedOn: dateOf(through + expectedInDays) }),
    ...(earliestInDays === undefined ? {} : { earliestOn: dateOf(through + earliestInDays) }),
  }
}

function seriesView(
  forecast: SeriesForecast,
  { through, days }: { through: DayNumber; days: number },
): z.infer<typeof shownSeries> {
  if (forecast.kind !== 'forecast') return forecast
  // What a limit’s day is found by, and says nothing that the interval does not.
  const { expected, lower, upper, growthPerDay, dayNoise: _, ...rest } = forecast
  return {
    ...rest,
    growthPerDay: Number(growthPerDay.toFixed(6)),
    days: expected.slice(0, days).map((value, i) => ({
      date: dateOf(through + i + 1),
      expected: value,
      lower: lower[i] ?? 0,
      upper: upper[i] ?? value,
    })),
  }
}

export const shownRun = z
  .object({
    through: z.iso.date(),
    state: z.enum(['running', 'ended']),
    tenants: z.int().meta({ description: 'Looked at so far.' }),
    deployments: z.int(),
    failed: z.int().meta({ description: 'Could not be looked at; they keep what the run before said of them.' }),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'CapacityRun' })

export const runView = (run: CapacityRun): z.infer<typeof shownRun> => ({
  through: dateOf(run.through),
  state: run.phase.kind === 'ended' ? 'ended' : 'running',
  tenants: run.tenants,
  deployments: run.deployments,
  failed: run.failed,
  startedAt: new Date(run.generation).toISOString(),
  ...(run.endedAtMs === undefined ? {} : { endedAt: new Date(run.endedAtMs).toISOString() }),
})

/** In the operators' list: who, and its limits, the nearest first. */
export const shownRanked = z
  .object({
    kind: z.enum(['tenant', 'deployment']),
    id: z.string(),
    name: z.string().optional().meta({ description: 'Absent where it is gone.' }),
    through: z.iso.date(),
    limits: z.array(shownLimit),
  })
  .meta({ id: 'RankedCapacity' })

export interface Named {
  readonly subject: CapacitySubject
  readonly outlook: Outlook
  readonly name: string | undefined
}

export const rankedView = ({ subject, outlook, name }: Named): z.infer<typeof shownRanked> => ({
  kind: subject.kind,
  id: subjectIdOf(subject),
  ...(name === undefined ? {} : { name }),
  through: dateOf(outlook.through),
  limits: outlook.limits.map((limit) => limitView(limit, outlook.through)),
})

const columns = [
  'kind',
  'id',
  'name',
  'limitName',
  'limit',
  'used',
  'usedShare',
  'expectedOn',
  'earliestOn',
  'through',
] as const

/** A row for each limit; one without a limit has a row without. */
export const rankedCsv = (ranked: readonly Named[]): string =>
  csvOf(
    columns,
    ranked
      .map(rankedView)
      .flatMap(({ kind, id, name, through, limits }) =>
        (limits.length > 0 ? limits : [undefined]).map((limit) => [
          kind,
          id,
          name,
          limit?.name,
          limit?.limit,
          limit?.used,
          limit?.usedShare,
          limit?.expectedOn,
          limit?.earliestOn,
          through,
        ]),
      ),
  )
