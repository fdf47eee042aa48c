import { evenMinutes, PROFILE_HOURS, type ObservedHours } from '../observed-hours'
import {
  breakEvenOf,
  commitments,
  grown,
  payAsYouGoOf,
  sizeUnits,
  type Commitment,
  type LoadProfile,
  type Sizing,
} from './size-units'
import { offerOf, type Offer, type ProvisionedTerms, type Reach } from './terms'

/** What the shared deployments of a model in a region served together, by the hour. */
export interface Pool {
  readonly model: string
  readonly region: string
  /** Units of provisioned throughput that there are now. */
  readonly units: number
  readonly hours: readonly ObservedHours[]
  /** How many times the present use is expected a month ahead. */
  readonly growth: number
}

export type Advice =
  | {
      readonly kind: 'sized'
      readonly offer: Offer
      /** A month of 730 hours by the token alone. */
      readonly payAsYouGoMicroUsd: number
      /** For each commitment, the units that cost least: with the use of the last weeks, and with that of a month ahead. */
      readonly now: readonly Sizing[]
      readonly ahead: readonly Sizing[]
      readonly breakEven: Readonly<Partial<Record<Commitment, number>>>
    }
  /** Nobody said what a unit of this model takes. */
  | { readonly kind: 'unknown-model' }
  /** The price book has no price for its tokens, so nothing can be compared. */
  | { readonly kind: 'unpriced' }
  | { readonly kind: 'unused' }

/** Pure. */
export function advise(pool: Pool, { reach, terms }: { reach: Reach; terms: ProvisionedTerms | undefined }): Advice {
  const offer = offerOf(pool.model, reach, terms)
  if (!offer) return { kind: 'unknown-model' }
  const profile = profileOf(pool.hours, offer.throughput.outputWeight)
  if (profile.load.every((load) => load <= 0)) return { kind: 'unused' }
  if (profile.costMicroUsd.every((cost) => cost <= 0)) return { kind: 'unpriced' }
  const sizesOf = (load: LoadProfile) => commitments.map((commitment) => sizeUnits(load, offer, commitment))
  return {
    kind: 'sized',
    offer,
    payAsYouGoMicroUsd: payAsYouGoOf(profile),
    now: sizesOf(profile),
    ahead: sizesOf(grown(profile, pool.growth)),
    breakEven: Object.fromEntries(
      commitments.map((commitment) => [commitment, breakEvenOf(profile, offer, commitment)]),
    ),
  }
}

/** The deployments’ hours added up, from the first in which anything was used on: before, there was nobody. */
function profileOf(all: readonly ObservedHours[], outputWeight: number): LoadProfile {
  const last = Math.max(...all.map(({ firstHour }) => firstHour + PROFILE_HOURS))
  const load = Array.from({ length: PROFILE_HOURS }, () => 0)
  const costMicroUsd = Array.from({ length: PROFILE_HOURS }, () => 0)
  const bursts = evenMinutes.map(() => 0)
  let weight = 0
  for (const { firstHour, inputTokens, outputTokens, costMicroUsd: cost, bursts: steps } of all) {
    const ahead = firstHour + PROFILE_HOURS - last
    let whole = 0
    inputTokens.forEach((input, i) => {
      const at = i + ahead
      if (at < 0) return
      const hour = input + outputWeight * (outputTokens[i] ?? 0)
      whole += hour
      load[at] = (load[at] ?? 0) + hour
      costMicroUsd[at] = (costMicroUsd[at] ?? 0) + (cost[i] ?? 0)
    })
    steps.forEach((share, step) => (bursts[step] = (bursts[step] ?? 0) + share * whole))
    weight += whole
  }
  const first = load.findIndex((hour) => hour > 0)
  return {
    load: first < 0 ? [] : load.slice(first),
    costMicroUsd: first < 0 ? [] : costMicroUsd.slice(first),
    bursts: weight > 0 ? bursts.map((step) => step / weight) : evenMinutes,
  }
}
