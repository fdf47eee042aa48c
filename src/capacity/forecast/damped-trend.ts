import { median, quantile, robustSlope } from './order-statistics'

/** A level that grows by less and less: what is expected `h` days on is `level + growth · (φ + φ² + … + φʰ)`. */
export interface Trend {
  /** Natural logarithms, `h` from 1. */
  at(h: number): number
  /** Half-width of the interval around it, `h` from 1; rises with `h`. */
  halfWidth(h: number): number
  /** Of the level, a day, as it is now: 0.01 is one percent. */
  readonly growthPerDay: number
}

/** Logarithms of levels; undefined where a day says nothing. `noisy` has the odd days that `cleaned` lacks. */
export interface TrendInput {
  readonly cleaned: readonly (number | undefined)[]
  readonly noisy: readonly (number | undefined)[]
  readonly noise: number
  /** That the interval is to hold the day's value with. */
  readonly intervalShare: number
}

/**
 * Exponential smoothing with a damped trend (Gardner and McKenzie, 1985; ETS(A,Ad,N) of Hyndman et al., 2008), of the logarithms (growth
 * in proportion) and of the levels (growth by amounts). Which of them, and how fast they learn, is what would have forecast this
 * series best at the lead times that matter, from every day of it: so a month ahead is judged by months ahead, where the usual
 * fit looks at the next day only. The best few are averaged, as forecasters' competitions found again and again that one should.
 */
export function fitTrend(input: TrendInput): Trend {
  const start = { first: firstLevel(input.cleaned), slope: robustSlope(input.cleaned.slice(0, FIRST_GROWTH_DAYS)) }
  const judged = candidates.map((candidate) => judge(candidate, input, start)).sort((a, b) => a.loss - b.loss)
  const best = judged.slice(0, AVERAGED)
  const at = (h: number) => average(best.map(({ ahead }) => ahead(h)))
  const widths = widthsOf(best, input)
  return { at, halfWidth: (h) => widthAt(widths, h), growthPerDay: at(1) - average(best.map(({ ahead }) => ahead(0))) }
}

interface Candidate {
  readonly scale: 'log' | 'level'
  /** What the level, and the growth, learn of an error. */
  readonly alpha: number
  readonly beta: number
  readonly phi: number
}

const ALPHAS = [0.03, 0.08, 0.15, 0.3, 0.5]
const BETAS = [0.002, 0.01, 0.03]
const PHIS = [0.99, 0.999]
const candidates: readonly Candidate[] = (['log', 'level'] as const).flatMap((scale) =>
  ALPHAS.flatMap((alpha) => [
    // Without growth there is but one.
    ...(scale === 'log' ? [{ scale, alpha, beta: 0, phi: 0 }] : []),
    ...BETAS.filter((beta) => beta < alpha).flatMap((beta) => PHIS.map((phi) => ({ scale, alpha, beta, phi }))),
  ]),
)

const AVERAGED = 6
/** Days ahead by which candidates are judged and intervals measured. */
const LEADS = [1, 7, 14, 28] as const
/** Days from which the first level and growth are read; nothing is judged before. */
const WARM_UP_DAYS = 14
const FIRST_GROWTH_DAYS = 28
/** Growth has to earn its place: a candidate that has it is taken for so much worse. */
const GROWTH_LOSS = 1.02
/** An error counts for the level by at most so many standard deviations of the noise. */
const ERROR_SPREADS_MAX = 3
/** What is taken for nothing, of the first level: a forecast by amounts may not fall below it. */
const LEVEL_SHARE_MIN = 0.01

interface Judged {
  readonly loss: number
  /** What each day of the series was forecast as, by lead time; undefined where nothing was. */
  readonly said: readonly (readonly (number | undefined)[])[]
  ahead(h: number): number
}

function judge(
  { scale, alpha, beta, phi }: Candidate,
  { cleaned, noise }: TrendInput,
  { first, slope }: { first: number; slope: number },
): Judged {
  const least = first + Math.log(LEVEL_SHARE_MIN)
  const into = (log: number) => (scale === 'log' ? log : Math.exp(log - first))
  const back = (value: number) => (scale === 'log' ? value : first + Math.log(Math.max(Math.exp(least - first), value)))
  let level = into(first)
  // In units of the first level, both scales grow alike at first.
  let growth = beta === 0 ? 0 : slope
  const damped = (h: number) => (phi === 0 ? 0 : (phi * (1 - phi ** h)) / (1 - phi))
  const leads = LEADS.map((lead) => ({
    lead,
    damped: damped(lead),
    said: cleaned.map((): number | undefined => undefined),
  }))
  cleaned.forEach((log, day) => {
    const expected = level + phi * growth
    growth *= phi
    if (log !== undefined) {
      const bound = ERROR_SPREADS_MAX * Math.max(noise, 0.01) * (scale === 'log' ? 1 : Math.max(expected, 0.1))
      const error = Math.min(bound, Math.max(-bound, into(log) - expected))
      growth += beta * error
      level = expected + alpha * error
    } else level = expected
    if (day < WARM_UP_DAYS - 1) return
    for (const { lead, damped: by, said } of leads)
      if (day + lead < cleaned.length) said[day + lead] = back(level + growth * by)
  })
  const said = leads.map((each) => each.said)
  const ahead = (h: number) => back(level + growth * damped(h))
  return { loss: lossOf(said, cleaned) * (beta === 0 ? 1 : GROWTH_LOSS), said, ahead }
}

const firstLevel = (logs: readonly (number | undefined)[]): number => {
  const first = logs.filter((log) => log !== undefined).slice(0, WARM_UP_DAYS / 2)
  return first.length === 0 ? 0 : median(first)
}

/** Mean over lead times of the mean error, so that a month ahead weighs as much as a day. A loop: it is run for every candidate. */
function lossOf(said: Judged['said'], logs: TrendInput['cleaned']): number {
  const means: number[] = []
  for (const of of said) {
    let [sum, count] = [0, 0]
    for (let day = 0; day < logs.length; day++) {
      const [log, expected] = [logs[day], of[day]]
      if (log === undefined || expected === undefined) continue
      sum += Math.abs(log - expected)
      count += 1
    }
    if (count > 0) means.push(sum / count)
  }
  return means.length === 0 ? 0 : average(means)
}

const errorsOf = (said: readonly (number | undefined)[], logs: readonly (number | undefined)[]): number[] =>
  logs.flatMap((log, day) => {
    const expected = said[day]
    return log === undefined || expected === undefined ? [] : Math.abs(log - expected)
  })

interface Width {
  readonly lead: number
  readonly width: number
}

/** Above the square root of time, by which a random walk goes astray: its growth may be misjudged too. */
const WIDENING_EXPONENT = 0.75
/** Errors of windows that overlap are few in truth; with so many whole windows the measured ones are taken as they are. */
const CAUTION_WINDOWS = 1.2

/** The errors that the average would have made, with the share of them inside that the interval is to hold. */
function widthsOf(best: readonly Judged[], { noisy, noise, intervalShare }: TrendInput): readonly Width[] {
  const widths: Width[] = []
  let widest = normalQuantile(intervalShare) * Math.max(noise, NOISE_MIN)
  LEADS.forEach((lead, i) => {
    const said = noisy.map((_, day) => {
      const of = best.map((each) => each.said[i]?.[day])
      return of.every((each) => each !== undefined) ? average(of) : undefined
    })
    const errors = errorsOf(said, noisy)
    if (errors.length < lead / 2 || errors.length < 5) return
    const windows = errors.length / lead
    widest = Math.max(widest, quantile(errors, intervalShare) * (1 + CAUTION_WINDOWS / (1 + windows)))
    widths.push({ lead, width: widest })
  })
  return widths.length > 0 ? widths : [{ lead: 1, width: widest * 2 }]
}

/** Nothing in the world is known to less than this. */
const NOISE_MIN = 0.02

function widthAt(widths: readonly Width[], h: number): number {
  const above = widths.findIndex(({ lead }) => lead >= h)
  const [before, after] = [widths[above - 1], widths[above]]
  if (after && before)
    return before.width + ((after.width - before.width) * (h - before.lead)) / (after.lead - before.lead)
  const nearest = after ?? widths.at(-1) ?? { lead: 1, width: 1 }
  return h <= nearest.lead ? nearest.width : nearest.width * (h / nearest.lead) ** WIDENING_EXPONENT
}

/** Half-width, in standard deviations, of the middle `share` of a normal distribution; of the shares that are used here. */
const normalQuantile = (share: number): number => (share >= 0.95 ? 1.96 : share >= 0.9 ? 1.645 : 1.282)

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
