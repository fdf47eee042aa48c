/** Of a list that is not empty; the mean of the two in the middle where there are two. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Between neighbours by proportion (type 7 of Hyndman and Fan, 1996). 0 for an empty list. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const [below = 0, above = below] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  return below + (above - below) * (at - Math.floor(at))
}

export const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

/** Makes the median absolute deviation of normal noise its standard deviation. */
const NORMAL = 1.4826

/** Standard deviation around 0 as the middle half sees it: up to half of the values may be anything. */
export const spread = (residuals: readonly number[]): number =>
  residuals.length === 0 ? 0 : NORMAL * median(residuals.map(Math.abs))

/** Pairs that a slope is the median of: as many as 400 days have at a fixed lag. */
const SLOPE_LAG_SHARE = 1 / 3

/**
 * Slope of a line through values with gaps, per step: the median of the slopes between values a third of the length apart (after
 * Theil and Sen, with pairs far enough apart to say something, and as many as values). Outliers, up to a quarter, do not move it.
 */
export function robustSlope(values: readonly (number | undefined)[]): number {
  const lag = Math.max(1, Math.floor(values.length * SLOPE_LAG_SHARE))
  const slopes: number[] = []
  for (let i = lag; i < values.length; i++) {
    const [from, to] = [values[i - lag], values[i]]
    if (from !== undefined && to !== undefined) slopes.push((to - from) / lag)
  }
  return slopes.length === 0 ? 0 : median(slopes)
}
