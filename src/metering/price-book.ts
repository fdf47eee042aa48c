import { priceOfTokens, type MicroUsd } from '../base/money'
import { listPrices, microUsdPerMillion, type ModelPrice, type PriceList, type TokenPrice } from './prices'
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
}

/** A dated release is priced as its family: `gpt-4.1-mini-2025-04-14` as `gpt-4.1-mini`. */
const RELEASE_DATE = /-\d{4}-\d{2}-\d{2}$/

export function createPriceBook(prices: PriceList = listPrices): PriceBook {
  const models = new Map(Object.entries(prices.models).map(([model, list]) => [model, latestFirst(list)]))
  const pricesOf = (model: string) => models.get(model) ?? models.get(model.replace(RELEASE_DATE, ''))

  const ratesAt = (model: string, { promptTokens }: TokenUsage, atMs: number): Rates | undefined => {
    const price = pricesOf(model)?.find(({ fromMs }) => fromMs <= atMs)
    const { longPrompt } = price ?? {}
    return longPrompt && promptTokens > longPrompt.promptTokensAbove ? longPrompt : price
  }

  return {
    costOf: (model, usage, atMs) => {
      const rates = ratesAt(model, usage, atMs)
      return rates && priceOf(usage, rates)
    },
    batchCostOf: (model, usage, atMs) => {
      const rates = ratesAt(model, usage, atMs)
      return rates && priceOf(usage, shareOf(rates, prices.batchShare))
    },
  }
}

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
  readonly longPrompt: (Rates & { readonly promptTokensAbove: number }) | undefined
}

function latestFirst(prices: readonly ModelPrice[]): DatedRates[] {
  return prices
    .map((price) => ({
      ...ratesOf(price),
      fromMs: price.from === undefined ? -Infinity : Date.parse(price.from),
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
