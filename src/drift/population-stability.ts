import { assert } from '../base/assert'

/** Half a request is added to every bin, so that an empty one has a logarithm. Source: Krichevsky and Trofimov (1981). */
const SMOOTHING = 0.5

/**
 * The population stability index of two histograms over the same bins: Σ (qᵢ − pᵢ) · ln(qᵢ / pᵢ), which is Kullback and Leibler's
 * symmetric divergence J (1951) under the name that credit scoring gave it (Siddiqi, "Credit Risk Scorecards", 2006). 0 where the
 * shares are the same; by custom up to 0.1 is nothing, and 0.25 or more a shift that matters.
 */
export function populationStability(baseline: readonly number[], now: readonly number[]): number {
  assert(baseline.length === now.length && baseline.length > 0, 'both histograms have the same bins')
  const [p, q] = [sharesOf(baseline), sharesOf(now)]
  let index = 0
  for (const [bin, then] of p.entries()) {
    const share = q[bin] ?? 0
    index += (share - then) * Math.log(share / then)
  }
  return index
}

function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, SMOOTHING * counts.length)
  return counts.map((count) => (count + SMOOTHING) / total)
}

/** One comparison in a thousand of samples that come from the same distribution passes the bound below. */
const DEVIATIONS = 3.0902

/**
 * What chance alone makes of the index, 999 times in 1,000, between samples of `m` and `n` requests in `bins` bins: without a shift
 * it is (1/m + 1/n) times a χ² of bins − 1 degrees of freedom. Source: Yurdakul and Naranjo, "Statistical properties of the
 * population stability index" (2020); the quantile is Wilson and Hilferty's approximation (1931). Infinite where a sample is empty.
 */
export function chanceBound({ m, n, bins }: { m: number; n: number; bins: number }): number {
  if (m === 0 || n === 0) return Infinity
  const degrees = Math.max(1, bins - 1)
  const spread = 2 / (9 * degrees)
  const quantile = degrees * (1 - spread + DEVIATIONS * Math.sqrt(spread)) ** 3
  return (1 / m + 1 / n) * quantile
}
