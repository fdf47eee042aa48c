/** An amount of money in whole micro-units of US dollars (1 USD = 1,000,000). Integers only: sums are exact up to 9 billion USD. */
export type MicroUsd = number

/** A price in micro-USD per million tokens is the same number as USD × 1e6 per 1e6 tokens: 0.15 USD → 150_000. */
export type MicroUsdPerMillion = number

/** Rounds half up once, at the end, so that a call's cost never depends on the order of its parts. */
export function priceOfTokens(parts: readonly { tokens: number; microUsdPerMillion: MicroUsdPerMillion }[]): MicroUsd {
  let sum = 0
  for (const part of parts) sum += part.tokens * part.microUsdPerMillion
  return Math.round(sum / 1_000_000)
}
