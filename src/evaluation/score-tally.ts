import type { Scores } from '../registry/model-version'

/** Means of scores, by metric. Memory is bounded by the number of metrics, not of examples. */
export class ScoreTally {
  readonly #sums = new Map<string, { sum: number; count: number }>()

  /** A score that is undefined counts for nothing: it is no zero. */
  add(scores: Readonly<Record<string, number | undefined>>): void {
    for (const [metric, score] of Object.entries(scores)) {
      if (score === undefined) continue
      const { sum, count } = this.#sums.get(metric) ?? { sum: 0, count: 0 }
      this.#sums.set(metric, { sum: sum + score, count: count + 1 })
    }
  }

  means(): Scores {
    return Object.fromEntries(
      [...this.#sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([metric, { sum, count }]) => [metric, sum / count]),
    )
  }
}
