import { parseBackendId, type BackendId } from '../base/ids'
import type { MicroUsd } from '../base/money'
import type { UsagePiece } from '../usage/usage-reader'
import type { IdleThroughput } from './billing-rows'
import { dayStartMs, HOURS_PER_DAY, type Day } from './calendar'
import { workTokens, type ProvisionedShare } from './day-sheet'
import { upTo } from './rounding'

/** Tokens by the hour of one day, 24 for each backend that has a price. */
export type HourTokens = Map<BackendId, number[]>
export type HourPrices = ReadonlyMap<BackendId, readonly MicroUsd[]>

const HOUR_MS = 3_600_000

/**
 * Sharing out what provisioned throughput costs. Each hour's price goes to those who used the backend in that hour, by the tokens that
 * it worked for; what of it nobody used is the platform's. Pure, and by one tenant after the other, so that memory does not grow with
 * their number.
 *
 * T1 No micro-dollar is lost or made: tenants' shares and the platform's part of an hour add up to its price.
 * T2 A share depends on the tenant's tokens and the sum of all tokens alone, not on who else there is or who comes first. So it is
 *    rounded down, and the platform has the rest: less than a micro-dollar for each tenant and hour.
 */
export function addTokens(tokens: HourTokens, prices: HourPrices, day: Day, { startMs, groups }: UsagePiece): void {
  const hour = Math.floor((startMs - dayStartMs(day)) / HOUR_MS)
  for (const group of groups) {
    const id = group.group.backend === null ? undefined : parseBackendId(group.group.backend)
    if (id === undefined || !prices.has(id)) continue
    let hours = tokens.get(id)
    if (!hours) tokens.set(id, (hours = noTokens()))
    hours[hour] = (hours[hour] ?? 0) + workTokens(group)
  }
}

export const noTokens = (): number[] => Array.from({ length: HOURS_PER_DAY }, () => 0)

/** One tenant's, of the day; in order of backends. */
export function sharesOf(own: HourTokens, all: HourTokens, prices: HourPrices): ProvisionedShare[] {
  return [...own]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([backendId, hours]) => ({
      backendId,
      tokens: sum(hours),
      microUsd: sum(
        hours.map((tokens, hour) =>
          shareOf(tokens, all.get(backendId)?.[hour] ?? 0, prices.get(backendId)?.[hour] ?? 0),
        ),
      ),
    }))
    .filter(({ tokens }) => tokens > 0)
}

const shareOf = (tokens: number, all: number, price: MicroUsd): MicroUsd => (all === 0 ? 0 : upTo(price, tokens, all))

/** What is left for the platform when tenants have had `shared` of it. */
export function idleOf(
  all: HourTokens,
  prices: HourPrices,
  shared: ReadonlyMap<BackendId, MicroUsd>,
): IdleThroughput[] {
  return [...prices].map(([backendId, hours]) => ({
    backendId,
    hours: hours.filter((_, hour) => (all.get(backendId)?.[hour] ?? 0) === 0).length,
    microUsd: sum(hours) - (shared.get(backendId) ?? 0),
  }))
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
