import { assertNever } from '../../base/assert'
import { burstSteps } from '../observed-hours'
import type { Offer } from './terms'

/** What was served hour by hour, and what it costs by the token. All lists are as long as there are hours. */
export interface LoadProfile {
  /** In input tokens, an output token weighing `Offer.throughput.outputWeight`. */
  readonly load: readonly number[]
  readonly costMicroUsd: readonly number[]
  /** Share of an hour's minutes in each of `burstSteps`. */
  readonly bursts: readonly number[]
}

export const commitments = ['hourly', 'month', 'year'] as const
export type Commitment = (typeof commitments)[number]

/** Of a month of 730 hours, in micro-USD. */
export interface Sizing {
  readonly commitment: Commitment
  /** 0: pay-as-you-go alone costs least. */
  readonly units: number
  readonly unitsMicroUsd: number
  /** What goes on to pay-as-you-go because the units are full. */
  readonly spilloverMicroUsd: number
  readonly totalMicroUsd: number
  /** Of the load, what the units serve. */
  readonly servedShare: number
  /** Of the units' capacity, what is used. */
  readonly usedShare: number
}

export const MONTH_HOURS = 730
const YEAR_MONTHS = 12
const HOUR_MINUTES = 60
/** Azure's own bound of a deployment. */
const UNITS_MAX = 100_000

/** What a month costs by the token alone, in micro-USD. */
export const payAsYouGoOf = ({ costMicroUsd }: LoadProfile): number =>
  Math.round(aMonth(sum(costMicroUsd), costMicroUsd.length))

/**
 * How many units cost least, for a commitment: those units, and by the token what does not fit into them. Pure. What a unit more saves
 * falls with every unit, so where the total begins to rise it rises for good, and the least is found by halving.
 */
export function sizeUnits(profile: LoadProfile, offer: Offer, commitment: Commitment): Sizing {
  const at = (units: number) => sizingAt(profile, offer, { units, commitment })
  const stepsMax = Math.floor((UNITS_MAX - offer.unitsMin) / offer.unitsStep)
  const unitsAt = (steps: number) => offer.unitsMin + steps * offer.unitsStep
  let [low, high] = [0, stepsMax]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (at(unitsAt(middle + 1)).totalMicroUsd < at(unitsAt(middle)).totalMicroUsd) low = middle + 1
    else high = middle
  }
  const [none, best] = [at(0), at(unitsAt(low))]
  return best.totalMicroUsd < none.totalMicroUsd ? best : none
}

export function sizingAt(
  { load, costMicroUsd, bursts }: LoadProfile,
  { throughput, price }: Offer,
  { units, commitment }: { units: number; commitment: Commitment },
): Sizing {
  const perMinute = units * throughput.inputTokensPerMinute
  const steps = stepsOf(bursts)
  let [served, spilled] = [0, 0]
  load.forEach((hour, i) => {
    const share = hour > 0 ? servedShareOf(hour / HOUR_MINUTES, perMinute, steps) : 0
    served += hour * share
    spilled += (costMicroUsd[i] ?? 0) * (1 - share)
  })
  const all = sum(load)
  const unitsMicroUsd = units * monthPriceOf(price, commitment)
  const spilloverMicroUsd = Math.round(aMonth(spilled, load.length))
  return {
    commitment,
    units,
    unitsMicroUsd,
    spilloverMicroUsd,
    totalMicroUsd: unitsMicroUsd + spilloverMicroUsd,
    servedShare: all > 0 ? served / all : 0,
    usedShare: perMinute > 0 && load.length > 0 ? served / (perMinute * HOUR_MINUTES * load.length) : 0,
  }
}

/** So much of an hour's time its load is so many times its mean. */
interface Step {
  readonly share: number
  readonly height: number
}

/** The middles of steps do not add up to the mean by themselves, and are moved so that they do. */
function stepsOf(bursts: readonly number[]): readonly Step[] {
  const steps = bursts.flatMap((share, step) => (share > 0 && step > 0 ? { share, height: heightOf(step) } : []))
  const mean = sum(steps.map(({ share, height }) => share * height))
  return mean > 0 ? steps.map(({ share, height }) => ({ share, height: height / mean })) : [{ share: 1, height: 1 }]
}

/** The middle of a step; the lowest one stands for nothing. */
const heightOf = (step: number): number => {
  const [from = 0, to = from] = [burstSteps[step], burstSteps[step + 1]]
  return (from + to) / 2
}

/** Of an hour whose minutes have the load `mean` on average, the share that fits into `perMinute`. */
function servedShareOf(mean: number, perMinute: number, steps: readonly Step[]): number {
  const fits = perMinute / mean
  let served = 0
  for (const { share, height } of steps) served += share * Math.min(height, fits)
  return served
}

function monthPriceOf(price: Offer['price'], commitment: Commitment): number {
  switch (commitment) {
    case 'hourly':
      return price.hourMicroUsd * MONTH_HOURS
    case 'month':
      return price.monthMicroUsd
    case 'year':
      return Math.round(price.yearMicroUsd / YEAR_MONTHS)
    default:
      return assertNever(commitment)
  }
}

/**
 * The part of its capacity that a unit has to be used for, all the time, to cost as much as pay-as-you-go for the same mix of tokens;
 * above 1 it never pays. Undefined without use.
 */
export function breakEvenOf(
  { load, costMicroUsd }: LoadProfile,
  { throughput, price }: Offer,
  commitment: Commitment,
): number | undefined {
  const all = sum(load)
  if (all <= 0) return undefined
  const fullMonthMicroUsd = (sum(costMicroUsd) / all) * throughput.inputTokensPerMinute * HOUR_MINUTES * MONTH_HOURS
  return fullMonthMicroUsd > 0 ? monthPriceOf(price, commitment) / fullMonthMicroUsd : undefined
}

/** The same profile with so many times the load, in the same shape. */
export const grown = (profile: LoadProfile, times: number): LoadProfile => ({
  ...profile,
  load: profile.load.map((hour) => hour * times),
  costMicroUsd: profile.costMicroUsd.map((cost) => cost * times),
})

const aMonth = (total: number, hours: number) => (hours === 0 ? 0 : (total / hours) * MONTH_HOURS)
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
