import type { UsageGroup, UsageSums } from '../usage/usage-sums'
import { dayOf, startOfDay, type DayNumber } from './day'
import type { ObservedDay } from './observed-days'

/** What one subject used on days, as pieces of its usage come in, in any order and any number of them a minute. */
export interface DayTally {
  add(startMs: number, group: UsageGroup, sums: Readonly<UsageSums>): void
  /** Of every day that anything was added for. */
  days(): ReadonlyMap<DayNumber, ObservedDay>
}

export interface TallyOptions {
  /** Days from this one on came in minutes; of earlier ones there are sums, and no fullest minute. */
  readonly minutesFromDay: DayNumber
  /** Input tokens that an output token weighs; absent where load is not counted so. */
  readonly outputWeight?: number | undefined
  /** Whose refusals count: calls that we turned away, or attempts that the deployment did. */
  readonly turnedAway: 'refused' | 'throttled'
}

const MINUTE_MS = 60_000

/**
 * Usage that comes at its end, all in one minute, and is no load of that minute: batches have a quota of their own, and of responses
 * in the background only the end is known.
 */
const UNPACED = /^(batch|fine_tuning|storage)\.|\.background$/
export const isPaced = ({ operation }: Pick<UsageGroup, 'operation'>): boolean => !UNPACED.test(operation)

/** Calls that never reached a backend spend nothing of a limit. */
const isAdmitted = ({ outcome }: Pick<UsageGroup, 'outcome'>): boolean =>
  outcome !== 'refused' && outcome !== 'unavailable'

export function createDayTally({ minutesFromDay, outputWeight, turnedAway }: TallyOptions): DayTally {
  const days = new Map<DayNumber, Day>()
  const dayAt = (startMs: number) => {
    const number = dayOf(startMs)
    let day = days.get(number)
    if (!day) days.set(number, (day = { ...newDay(), minutes: number >= minutesFromDay ? new Map() : undefined }))
    return day
  }
  return {
    add: (startMs, group, sums) => {
      const day = dayAt(startMs)
      day.turnedAway += sums[turnedAway]
      if (!isAdmitted(group)) return
      const tokens = sums.promptTokens + sums.outputTokens
      day.requests += sums.calls
      day.tokens += tokens
      day.costMicroUsd += sums.costMicroUsd
      if (!day.minutes || !isPaced(group)) return
      const at = Math.floor((startMs - startOfDay(dayOf(startMs))) / MINUTE_MS)
      let minute = day.minutes.get(at)
      if (!minute) day.minutes.set(at, (minute = { requests: 0, tokens: 0, load: 0 }))
      minute.requests += sums.calls
      minute.tokens += tokens
      minute.load += loadOf(sums, outputWeight ?? 0)
    },
    days: () => new Map([...days].map(([number, day]) => [number, observed(day, outputWeight !== undefined)])),
  }
}

/** In input tokens, as provisioned throughput counts: what was cached is free. */
export const loadOf = (
  { promptTokens, cachedTokens, outputTokens }: Pick<UsageSums, 'promptTokens' | 'cachedTokens' | 'outputTokens'>,
  outputWeight: number,
): number => Math.max(0, promptTokens - cachedTokens) + outputWeight * outputTokens

interface Minute {
  requests: number
  tokens: number
  load: number
}

interface Day {
  requests: number
  tokens: number
  costMicroUsd: number
  turnedAway: number
  /** By minute of the day: at most 1,440. Absent where minutes are not known. */
  readonly minutes: Map<number, Minute> | undefined
}

const newDay = () => ({ requests: 0, tokens: 0, costMicroUsd: 0, turnedAway: 0 })

function observed({ minutes, ...sums }: Day, hasLoad: boolean): ObservedDay {
  const peaks = minutes && { requests: 0, tokens: 0, load: 0 }
  if (peaks)
    for (const minute of minutes.values()) {
      peaks.requests = Math.max(peaks.requests, minute.requests)
      peaks.tokens = Math.max(peaks.tokens, minute.tokens)
      peaks.load = Math.max(peaks.load, minute.load)
    }
  return {
    ...sums,
    peakRequests: peaks?.requests,
    peakTokens: peaks?.tokens,
    peakLoad: hasLoad && peaks ? Math.round(peaks.load) : undefined,
  }
}
