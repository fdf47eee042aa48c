import type { MicroUsdPerMillion } from '../base/money'

/** USD per million tokens, as price lists print them. */
export interface TokenPrice {
  readonly input: number
  /** Absent: cached input costs as much as other input. */
  readonly cachedInput?: number
  /** Absent: images in the prompt cost as much as text. */
  readonly imageInput?: number
  /** 0 for models that answer without tokens (embeddings). */
  readonly output: number
}

export interface ModelPrice extends TokenPrice {
  /** First day it holds, UTC (`2026-01-31`); absent: since the model exists. */
  readonly from?: `${number}-${number}-${number}`
  /** Holds for the whole call when its prompt has more tokens than this. */
  readonly longPrompt?: TokenPrice & { readonly promptTokensAbove: number }
}

/** An operator's own price of a model, which counts before the list while it holds. Micro-USD per million tokens. */
export interface OwnTokenPrice {
  readonly model: string
  readonly from: Day
  /** The first day on which it does not hold any more; absent: until further notice. */
  readonly to?: Day | undefined
  readonly rates: OwnRates
  /** In batches; absent: the list's share of the others. */
  readonly batchRates?: OwnRates | undefined
}

export interface OwnRates {
  readonly input: MicroUsdPerMillion
  readonly cachedInput?: MicroUsdPerMillion | undefined
  readonly imageInput?: MicroUsdPerMillion | undefined
  readonly output: MicroUsdPerMillion
}

type Day = `${number}-${number}-${number}`

export interface PriceList {
  /** The day on which the source was read. */
  readonly asOf: string
  readonly source: string
  /** What a token in a batch costs, of what it costs in a call. */
  readonly batchShare: number
  /** By model family; each model's prices in order of their `from`. */
  readonly models: Readonly<Record<string, readonly ModelPrice[]>>
}

/** 0.15 USD per million → 150,000 micro-USD per million. */
export const microUsdPerMillion = (usdPerMillion: number): MicroUsdPerMillion => Math.round(usdPerMillion * 1_000_000)

const flat = (input: number, cachedInput: number, output: number): readonly ModelPrice[] => [
  { input, cachedInput, output },
]
const uncached = (input: number, output: number): readonly ModelPrice[] => [{ input, output }]
const withLongPrompt = (price: TokenPrice, long: TokenPrice): readonly ModelPrice[] => [
  { ...price, longPrompt: { ...long, promptTokensAbove: 272_000 } },
]

/**
 * Pay-as-you-go list prices of Global Standard deployments. Data zone and regional deployments cost about 10 % more, batch
 * half, provisioned throughput nothing per token: an installation with such terms passes a list of its own.
 */
export const listPrices: PriceList = {
  asOf: '2026-09-23',
  source: 'npm @pydantic/genai-prices 0.1.8, provider "azure" (equal to OpenAI\'s list prices)',
  batchShare: 0.5,
  models: {
    'gpt-5.6-sol': withLongPrompt(
      { input: 4, cachedInput: 0.4, output: 20 },
      { input: 8, cachedInput: 0.8, output: 30 },
    ),
    'gpt-5.6-terra': flat(2, 0.2, 12),
    'gpt-5.6-luna': flat(0.2, 0.02, 1.2),
    'gpt-5.5': withLongPrompt({ input: 5, cachedInput: 0.5, output: 30 }, { input: 10, cachedInput: 1, output: 45 }),
    'gpt-5.4': withLongPrompt(
      { input: 2.5, cachedInput: 0.25, output: 15 },
      { input: 5, cachedInput: 0.5, output: 22.5 },
    ),
    'gpt-5.4-pro': withLongPrompt({ input: 30, output: 180 }, { input: 60, output: 270 }),
    'gpt-5.4-mini': flat(0.75, 0.075, 4.5),
    'gpt-5.4-nano': flat(0.2, 0.02, 1.25),
    'gpt-5.3-codex': flat(1.75, 0.175, 14),
    'gpt-5.3-chat': flat(1.75, 0.175, 14),
    'gpt-5.2': flat(1.75, 0.175, 14),
    'gpt-5.1': flat(1.25, 0.125, 10),
    'gpt-5.1-codex': flat(1.25, 0.125, 10),
    'gpt-5.1-chat': flat(1.25, 0.125, 10),
    'gpt-5.1-codex-mini': flat(0.25, 0.025, 2),
    'gpt-5': flat(1.25, 0.125, 10),
    'gpt-5-codex': flat(1.25, 0.125, 10),
    'gpt-5-chat': flat(1.25, 0.125, 10),
    'gpt-5-mini': flat(0.25, 0.025, 2),
    'gpt-5-nano': flat(0.05, 0.005, 0.4),
    'gpt-5-pro': uncached(15, 120),
    'gpt-4.1': flat(2, 0.5, 8),
    'gpt-4.1-mini': flat(0.4, 0.1, 1.6),
    'gpt-4.1-nano': flat(0.1, 0.025, 0.4),
    'gpt-4o': flat(2.5, 1.25, 10),
    'gpt-4o-mini': flat(0.15, 0.075, 0.6),
    o3: flat(2, 0.5, 8),
    'o4-mini': flat(1.1, 0.275, 4.4),
    'o3-mini': flat(1.1, 0.55, 4.4),
    o1: flat(15, 7.5, 60),
    'gpt-image-2': [{ input: 5, imageInput: 8, output: 30 }],
    'gpt-image-1.5': [{ input: 5, imageInput: 8, output: 32 }],
    'text-embedding-3-small': uncached(0.02, 0),
    'text-embedding-3-large': uncached(0.13, 0),
    'text-embedding-ada-002': uncached(0.1, 0),
  },
}
