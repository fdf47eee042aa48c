import type { UsageGroup, UsageSums } from '../usage/usage-sums'
import { isPaced, loadOf } from './day-tally'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const HOUR_MINUTES = 60
/** Four weeks of hours: each weekday as often as any other. */
export const PROFILE_HOURS = 28 * 24

/** What a deployment served in each hour, for the sizing of provisioned throughput. Every list has a value for each hour. */
export interface ObservedHours {
  /** Hours since the beginning of 1970. */
  readonly firstHour: number
  /** The family that most of its tokens were of. */
  readonly model: string
  /** Prompt tokens that were not cached. */
  readonly inputTokens: readonly number[]
  readonly outputTokens: readonly number[]
  /** What pay-as-you-go charges for it. */
  readonly costMicroUsd: readonly number[]
  /** How uneven the minutes of an hour are: the share of minutes in each of `burstSteps`, an hour weighing as much as its load. */
  readonly bursts: readonly number[]
}

/** A minute's load against the mean of its hour, as the lower ends of steps; each stands for its middle, the last for its end. */
export const burstSteps = [0, 0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 5, 8, 13, 21, 34] as const

export interface HourTally {
  add(startMs: number, group: UsageGroup, sums: Readonly<UsageSums>): void
  /** With what was known of earlier hours. Undefined where nothing is known at all. */
  over(known: ObservedHours | undefined, throughHour: number): ObservedHours | undefined
}

interface Hour {
  inputTokens: number
  outputTokens: number
  costMicroUsd: number
  /** Load by minute. */
  readonly minutes: Map<number, number>
}

/** Pieces before `fromHour` are left out; of those before `minutesFromHour` the minutes are not known. */
export function createHourTally(options: {
  fromHour: number
  minutesFromHour: number
  outputWeight: number
}): HourTally {
  const hours = new Map<number, Hour>()
  const tokensOf = new Map<string, number>()
  return {
    add: (startMs, group, sums) => {
      const number = Math.floor(startMs / HOUR_MS)
      if (number < options.fromHour || !isPaced(group)) return
      let hour = hours.get(number)
      if (!hour) hours.set(number, (hour = { inputTokens: 0, outputTokens: 0, costMicroUsd: 0, minutes: new Map() }))
      hour.inputTokens += Math.max(0, sums.promptTokens - sums.cachedTokens)
      hour.outputTokens += sums.outputTokens
      hour.costMicroUsd += sums.costMicroUsd
      const minute = Math.floor(startMs / MINUTE_MS)
      const load = loadOf(sums, options.outputWeight)
      if (number >= options.minutesFromHour) hour.minutes.set(minute, (hour.minutes.get(minute) ?? 0) + load)
      tokensOf.set(group.model, (tokensOf.get(group.model) ?? 0) + sums.promptTokens + sums.outputTokens)
    },
    over: (known, throughHour) => {
      const [model] = [...tokensOf].toSorted(([, a], [, b]) => b - a)[0] ?? [known?.model]
      if (model === undefined) return undefined
      const firstHour = throughHour - PROFILE_HOURS + 1
      const list = (of: 'inputTokens' | 'outputTokens' | 'costMicroUsd') =>
        Array.from(
          { length: PROFILE_HOURS },
          (_, i) => hours.get(firstHour + i)?.[of] ?? known?.[of][firstHour + i - known.firstHour] ?? 0,
        )
      return {
        firstHour,
        model,
        inputTokens: list('inputTokens'),
        outputTokens: list('outputTokens'),
        costMicroUsd: list('costMicroUsd'),
        bursts: burstsOf([...hours.values()]) ?? known?.bursts ?? evenMinutes,
      }
    },
  }
}

/** What is taken where no minutes are known: every minute is like its hour. */
export const evenMinutes: readonly number[] = burstSteps.map((step) => (step === 1 ? 1 : 0))

function burstsOf(hours: readonly Hour[]): readonly number[] | undefined {
  const weights = burstSteps.map(() => 0)
  let whole = 0
  for (const { minutes } of hours) {
    const load = [...minutes.values()].reduce((sum, value) => sum + value, 0)
    if (load <= 0) continue
    whole += load
    const share = load / HOUR_MINUTES
    for (const value of minutes.values()) {
      const at = burstSteps.findLastIndex((step) => value >= step * share)
      weights[at] = (weights[at] ?? 0) + share
    }
    weights[0] = (weights[0] ?? 0) + share * (HOUR_MINUTES - minutes.size)
  }
  return whole > 0 ? weights.map((weight) => Number((weight / whole).toFixed(6))) : undefined
}
