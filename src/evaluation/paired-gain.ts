import { seededFraction } from '../base/seeded-fraction'
import type { Gain } from '../registry/model-version'

const { floor } = Math

/** Drawn anew so often: an end of the interval is then known to about a hundredth of its width. */
const RESAMPLES = 2_000
/** Of the resampled means, on either side of the interval. */
const TAIL = 0.025

/**
 * The mean of paired differences and its 95 % interval, by bootstrap: the examples are drawn anew with replacement, and the
 * interval is what lies between the 2.5th and the 97.5th percentile of the means (Efron and Tibshirani, "An Introduction to the
 * Bootstrap", 1993, chapter 13; paired over test sets as in Koehn, "Statistical Significance Tests for Machine Translation
 * Evaluation", 2004). It says nothing that the examples do not: of few that all agree it is too narrow.
 *
 * Pure: the same differences and the same seed give the same interval, whoever repeats it. `differences` must not be empty.
 */
export function pairedGain(differences: readonly number[], seed: number): Gain {
  const count = differences.length
  const draw = seededFraction(seed)
  const means = new Float64Array(RESAMPLES)
  for (let resample = 0; resample < RESAMPLES; resample++) {
    let sum = 0
    for (let n = 0; n < count; n++) sum += differences[floor(draw() * count)] ?? 0
    means[resample] = sum / count
  }
  means.sort()
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / count
  return {
    mean,
    low: means[floor(RESAMPLES * TAIL)] ?? mean,
    high: means[Math.ceil(RESAMPLES * (1 - TAIL)) - 1] ?? mean,
  }
}
