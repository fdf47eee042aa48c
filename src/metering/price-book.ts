import { priceOfTokens, type MicroUsd } from '../base/money'
import {
  listPrices,
  microUsdPerMillion,
  type ModelPrice,
  type OwnRates,
  type OwnTokenPrice,
  type PriceList,
  type TokenPrice,
} from './prices'
import type { TokenUsage } from './usage-record'

export interface PriceBook {
  /**
   * What the provider charges for a call of `model` that came in at `atMs`. Cached prompt tokens are priced as cached,
   * reasoning tokens as the output that they are part of.
   *
   * Undefined where the list has no price for the model at that time: put it into the settlement as it is, and the call
   * costs 0 and counts as `unpriced` in every roll-up, so that a missing price is seen rather than billed as free.
   */
  costOf(model: string, usage: TokenUsage, atMs: number): MicroUsd | undefined
  /** The same for a request in a batch. */
  batchCostOf(model: string, usage: TokenUsage, atMs: number): MicroUsd | undefined
  /**
   * From now on these count before the list, each while it holds. What a time in the past costs must not change by it: whoever repeats
   * a booking of late usage has to come to the same amount.
   */
  use(own: readonly OwnTokenPrice[]): void
}

/** A dated release is priced as its family: `gpt-4.1-mini-2025-04-14` as `gpt-4.1-mini`. */
const RELEASE_DATE = /-\d{4}-\d{2}-\d{2}$/

export function createPriceBook(prices: PriceList = listPrices): PriceBook {
  const listed = new Map(Object.entries(prices.models).map(([model, list]) => [model, latestFirst(list)]))
  let models: ReadonlyMap<string, readonly DatedRates[]> = listed
  const pricesOf = (model: string) => models.get(model) ?? models.get(familyOf(model))
  const priceAt = (model: string, atMs: number): DatedRates | undefined =>
    pricesOf(model)?.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs)

  return {
    costOf: (model, usage, atMs) => {
      const price = priceAt(model, atMs)
      return price && priceOf(usage, ratesFor(price, usage))
    },
    batchCostOf: (model, usage, atMs) => {
      const price = priceAt(model, atMs)
      return price && priceOf(usage, price.batch ?? shareOf(ratesFor(price, usage), prices.batchShare))
    },
    use: (own) => {
      const ofModel = (model: string) => own.filter((price) => price.model === model).map(ownRates)
      const merged = new Map(listed)
      // Families first: a dated release has its own price, then its family's, then the list's.
      const names = [...new Set(own.map(({ model }) => model))].sort((a, b) => a.length - b.length)
      for (const name of names) {
        const family = familyOf(name)
        merged.set(name, [...ofModel(name), ...(listed.get(name) ?? merged.get(family) ?? [])])
      }
      models = merged
    },
  }
}

const familyOf = (model: string) => model.replace(RELEASE_DATE, '')

/** Without a new object: this is on the way of every call. */
const ratesFor = (price: DatedRates, { promptTokens }: TokenUsage): Rates =>
  price.longPrompt && promptTokens > price.longPrompt.promptTokensAbove ? price.longPrompt : price

const ownRates = ({ from, to, rates, batchRates }: OwnTokenPrice): DatedRates => ({
  ...filled(rates),
  fromMs: Date.parse(from),
  toMs: to === undefined ? Infinity : Date.parse(to),
  batch: batchRates && filled(batchRates),
  longPrompt: undefined,
})

const filled = ({ input, cachedInput = input, imageInput = input, output }: OwnRates): Rates => ({
  input,
  cachedInput,
  imageInput,
  output,
})

function priceOf(usage: TokenUsage, rates: Rates): MicroUsd {
  // A backend that reports more cached tokens than prompt tokens must not make a call cheaper than free.
  const cachedTokens = Math.min(usage.cachedTokens, usage.promptTokens)
  const imageTokens = Math.min(usage.media?.imageTokens ?? 0, usage.promptTokens - cachedTokens)
  return priceOfTokens([
    { tokens: usage.promptTokens - cachedTokens - imageTokens, microUsdPerMillion: rates.input },
    { tokens: imageTokens, microUsdPerMillion: rates.imageInput },
    { tokens: cachedTokens, microUsdPerMillion: rates.cachedInput },
    { tokens: usage.outputTokens, microUsdPerMillion: rates.output },
  ])
}

const shareOf = ({ input, imageInput, cachedInput, output }: Rates, share: number): Rates => ({
  input: Math.round(input * share),
  imageInput: Math.round(imageInput * share),
  cachedInput: Math.round(cachedInput * share),
  output: Math.round(output * share),
})

interface Rates {
  readonly input: number
  readonly imageInput: number
  readonly cachedInput: number
  readonly output: number
}

interface DatedRates extends Rates {
  readonly fromMs: number
  /** Exclusive. */
  readonly toMs: number
  /** In batches, where they have a price of their own. */
  readonly batch: Rates | undefined
  readonly longPrompt: (Rates & { readonly promptTokensAbove: number }) | undefined
}

function latestFirst(prices: readonly ModelPrice[]): DatedRates[] {
  return prices
    .map((price) => ({
      ...ratesOf(price),
      fromMs: price.from === undefined ? -Infinity : Date.parse(price.from),
      toMs: Infinity,
      batch: undefined,
      longPrompt: price.longPrompt && {
        ...ratesOf(price.longPrompt),
        promptTokensAbove: price.longPrompt.promptTokensAbove,
      },
    }))
    .sort((a, b) => b.fromMs - a.fromMs)
}

const ratesOf = ({ input, cachedInput = input, imageInput = input, output }: TokenPrice): Rates => ({
  imageInput: microUsdPerMillion(imageInput),
  input: microUsdPerMillion(input),
  cachedInput: microUsdPerMillion(cachedInput),
  output: microUsdPerMillion(output),
})
