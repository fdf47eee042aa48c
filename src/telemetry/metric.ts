import type { MetricName } from './names'
import type { Attributes } from './span'

/** What was measured between two collections; each begins anew (delta temporality), so idle tenants take no memory. */
export interface Metric {
  readonly name: MetricName
  /** UCUM: `s`, `{token}`, `By`, `1`. */
  readonly unit: string
  readonly description: string
  readonly points: MetricPoints
}

export type MetricPoints =
  | { readonly kind: 'sum'; readonly values: readonly NumberPoint[] }
  /** As it stood when it was collected. */
  | { readonly kind: 'gauge'; readonly values: readonly NumberPoint[] }
  | { readonly kind: 'histogram'; readonly values: readonly HistogramPoint[] }

export interface NumberPoint {
  readonly attributes: Attributes
  readonly value: number
}

export interface HistogramPoint {
  readonly attributes: Attributes
  readonly histogram: Histogram
}

/** Counts by bucket. A bound belongs to the bucket below it; the last bucket has none. */
export class Histogram {
  readonly bounds: readonly number[]
  readonly counts: number[]
  count = 0
  sum = 0
  min = Infinity
  max = -Infinity

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  add(value: number): void {
    let at = 0
    while (at < this.bounds.length && value > (this.bounds[at] ?? Infinity)) at++
    this.counts[at] = (this.counts[at] ?? 0) + 1
    this.count += 1
    this.sum += value
    this.min = Math.min(this.min, value)
    this.max = Math.max(this.max, value)
  }

  /** Of the same bounds. */
  merge(other: Histogram): void {
    for (const [at, count] of other.counts.entries()) this.counts[at] = (this.counts[at] ?? 0) + count
    this.count += other.count
    this.sum += other.sum
    this.min = Math.min(this.min, other.min)
    this.max = Math.max(this.max, other.max)
  }
}

/** As the GenAI conventions ask, seconds. */
export const SECONDS_BOUNDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
export const FIRST_TOKEN_SECONDS_BOUNDS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]
export const TOKEN_BOUNDS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304]
