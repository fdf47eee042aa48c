/**
 * How good forecasts are: series of days with known truth, made from seeds; each is forecast from its first part, and what came after is
 * compared. Beside it the seasonal naive forecast (the same weekday of the last week), which every method has to beat.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { forecastSeries, INTERVAL_SHARE } from '../src/capacity/forecast/forecast-series'
import { ALERT_DAYS } from '../src/capacity/limit-alerts'
import { limitOutlook } from '../src/capacity/limit-outlook'
import { seededChance } from '../test/evaluation/seeded-chance'
import { quantile } from '../src/capacity/forecast/order-statistics'
import {
  AHEAD_DAYS,
  makeSeries,
  seasonalTrendKinds,
  seriesKinds,
  type MadeSeries,
  type SeriesKind,
} from '../test/capacity/made-series'

const HELP = `Back-tests the capacity forecasts on series with known truth.

  --series N     series of each kind                                   (200)
  --seed N       of the first; each further one has the next           (1)
  --json FILE    where the figures go                                  (.local/bench/forecast.json)
  --help

Ends with 1 where the median error of season-plus-trend series at 30 days is above ${percent(0.15)} or an interval does not hold
what it says within ten points.
`

const LEAD_DAYS = 30
const ERROR_MAX = 0.15
const COVERAGE_OFF_MAX = 0.1
const WEEK_DAYS = 7

interface Errors {
  /** Shares of what came, day 7 and day 30. */
  readonly at7: number[]
  readonly at30: number[]
  /** Against the truth without its noise, day 30. */
  readonly truth30: number[]
  /** Of the sum of the first 30 days, which a monthly budget is held against. */
  readonly sum30: number[]
  readonly naive30: number[]
  readonly naiveSum30: number[]
  readonly inside: number[]
  ms: number
}

interface Row {
  readonly kind: string
  readonly series: number
  readonly error7: number
  readonly error30: number
  readonly truth30: number
  readonly sum30: number
  readonly naive30: number
  readonly naiveSum30: number
  readonly coverage: number
  readonly msEach: number
}

function main(): void {
  const { values } = parseArgs({
    options: {
      series: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string', default: '.local/bench/forecast.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(HELP)
  const [series, seed] = [Number(values.series), Number(values.seed)]
  if (!Number.isInteger(series) || series < 1 || !Number.isInteger(seed))
    throw new Error('--series and --seed take whole numbers')
  const all = seriesKinds.map((kind) => ({ kind, errors: measure(kind, series, seed) }))
  const rows = all.map(({ kind, errors }) => rowOf(kind, errors))
  const joined = (wanted: (kind: SeriesKind) => boolean) =>
    join(all.flatMap(({ kind, errors }) => (wanted(kind) ? [errors] : [])))
  const seasonal = rowOf(
    'season and trend',
    joined((kind) => seasonalTrendKinds.includes(kind)),
  )
  const whole = rowOf(
    'all',
    joined(() => true),
  )
  process.stdout.write(table([...rows, seasonal, whole]))
  const limits = limitDates(series, seed)
  process.stdout.write(
    `\nLimits up to ${LIMIT_TIMES_MAX} times the last week’s: ${limits.reached} were reached within ${ALERT_DAYS} days, ` +
      `${percent(limits.found)} of them had been alerted of; ${percent(limits.right)} of the alerts came true; ` +
      `the day was ${limits.daysOff} days off in the median\n`,
  )
  const report = {
    limits,
    series,
    seed,
    node: process.version,
    intervalShare: INTERVAL_SHARE,
    rows,
    seasonal,
    all: whole,
  }
  mkdirSync(dirname(values.json), { recursive: true })
  writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
  const isGood = seasonal.error30 <= ERROR_MAX && Math.abs(seasonal.coverage - INTERVAL_SHARE) <= COVERAGE_OFF_MAX
  process.stdout.write(
    `\n${isGood ? 'within' : 'OUTSIDE'} its bounds: ${percent(seasonal.error30)} at 30 days, ${percent(seasonal.coverage)} inside\n`,
  )
  process.exitCode = isGood ? 0 : 1
}

function measure(kind: SeriesKind, series: number, seed: number): Errors {
  const errors: Errors = { at7: [], at30: [], truth30: [], sum30: [], naive30: [], naiveSum30: [], inside: [], ms: 0 }
  for (let i = 0; i < series; i++) {
    const made = makeSeries(kind, seed + i)
    const begun = process.cpuUsage()
    const forecast = forecastSeries(made.seen, AHEAD_DAYS)
    // Processor time: what others do on the machine meanwhile is not measured.
    errors.ms += process.cpuUsage(begun).user / 1_000
    if (forecast.kind !== 'forecast') throw new Error(`${kind} ${seed + i}: ${forecast.kind}`)
    const { expected, lower, upper } = forecast
    errors.at7.push(...errorsAround(expected, made.came, WEEK_DAYS))
    errors.at30.push(...errorsAround(expected, made.came, LEAD_DAYS))
    errors.truth30.push(...errorsAround(expected, made.truth, LEAD_DAYS))
    errors.sum30.push(shareOff(sum(expected), sum(made.came)))
    const naive = seasonalNaive(made)
    errors.naive30.push(...errorsAround(naive, made.came, LEAD_DAYS))
    errors.naiveSum30.push(shareOff(sum(naive), sum(made.came)))
    for (let day = 0; day < LEAD_DAYS; day++) {
      const came = made.came[day] ?? 0
      errors.inside.push(came >= (lower[day] ?? 0) && came <= (upper[day] ?? 0) ? 1 : 0)
    }
  }
  return errors
}

/** Above the busiest day of the last week, how far a limit is. */
const LIMIT_TIMES_MAX = 1.5

/**
 * The question that forecasts are made for: limits somewhat above what was used of late, and whether a day of the month that came has
 * come up to them. All kinds of series, those included that nothing becomes of.
 */
function limitDates(series: number, seed: number) {
  const chance = seededChance(seed)
  const off: number[] = []
  const counts = { reached: 0, alerted: 0, both: 0 }
  for (const kind of seriesKinds)
    for (let i = 0; i < series; i++) {
      const { seen, came } = makeSeries(kind, seed + i)
      const busiest = Math.max(...seen.slice(-WEEK_DAYS).map((value) => value ?? 0))
      const limit = busiest * (1 + (LIMIT_TIMES_MAX - 1) * chance())
      const forecast = forecastSeries(seen, AHEAD_DAYS)
      const { expectedInDays } = limitOutlook({ name: 'tokensPerDay', limit, series: seen, forecast, through: 0 })
      const reachedOn = came.findIndex((value) => value >= limit) + 1
      const isReached = reachedOn > 0 && reachedOn <= ALERT_DAYS
      const isAlerted = (expectedInDays ?? Infinity) <= ALERT_DAYS
      counts.reached += isReached ? 1 : 0
      counts.alerted += isAlerted ? 1 : 0
      counts.both += isReached && isAlerted ? 1 : 0
      if (isReached && expectedInDays !== undefined) off.push(Math.abs(expectedInDays - reachedOn))
    }
  return {
    ...counts,
    found: counts.both / Math.max(1, counts.reached),
    right: counts.both / Math.max(1, counts.alerted),
    daysOff: middle(off),
  }
}

/** The week that ends on that day, so that no weekday is left out. */
const errorsAround = (expected: readonly number[], came: readonly number[], lead: number): number[] =>
  Array.from({ length: WEEK_DAYS }, (_, i) => shareOff(expected[lead - 1 - i] ?? 0, came[lead - 1 - i] ?? 0))

const shareOff = (expected: number, came: number) => Math.abs(expected - came) / Math.max(1, came)
const sum = (values: readonly number[]) => values.slice(0, LEAD_DAYS).reduce((total, value) => total + value, 0)

function seasonalNaive({ seen }: MadeSeries): number[] {
  const lastOf = (weekday: number) => {
    for (let day = seen.length - 1; day >= 0; day--) {
      const value = seen[day]
      if (day % WEEK_DAYS === weekday && value !== undefined) return value
    }
    return 0
  }
  return Array.from({ length: AHEAD_DAYS }, (_, i) => lastOf((seen.length + i) % WEEK_DAYS))
}

const join = (all: readonly Errors[]): Errors => ({
  at7: all.flatMap(({ at7 }) => at7),
  at30: all.flatMap(({ at30 }) => at30),
  truth30: all.flatMap(({ truth30 }) => truth30),
  sum30: all.flatMap(({ sum30 }) => sum30),
  naive30: all.flatMap(({ naive30 }) => naive30),
  naiveSum30: all.flatMap(({ naiveSum30 }) => naiveSum30),
  inside: all.flatMap(({ inside }) => inside),
  ms: all.reduce((total, { ms }) => total + ms, 0),
})

const rowOf = (kind: string, errors: Errors): Row => ({
  kind,
  series: errors.sum30.length,
  error7: middle(errors.at7),
  error30: middle(errors.at30),
  truth30: middle(errors.truth30),
  sum30: middle(errors.sum30),
  naive30: middle(errors.naive30),
  naiveSum30: middle(errors.naiveSum30),
  coverage: errors.inside.reduce((total, each) => total + each, 0) / errors.inside.length,
  msEach: errors.ms / errors.sum30.length,
})

const middle = (values: readonly number[]) => quantile(values, 0.5)

function table(rows: readonly Row[]): string {
  const head = [
    'series of a kind',
    'error, day 7',
    'error, day 30',
    'truth, day 30',
    'sum of 30 days',
    'naive, day 30',
    'naive sum',
    `in the ${percent(INTERVAL_SHARE)} interval`,
    'ms each',
  ]
  const lines = rows.map((row) => [
    row.kind,
    ...[row.error7, row.error30, row.truth30, row.sum30, row.naive30, row.naiveSum30, row.coverage].map(percent),
    row.msEach.toFixed(1),
  ])
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  return [line(head), line(['---', ...head.slice(1).map(() => '---:')]), ...lines.map(line)].join('')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

main()
