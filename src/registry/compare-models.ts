import type { ModelEvaluation, ModelVersion, Scores } from './model-version'

export interface ScoreRow {
  readonly metric: string
  readonly value: number | null
  readonly other: number | null
  /** `value - other`; null where one of the two is not known. */
  readonly difference: number | null
}

export interface ModelsCompared {
  /** What the trainings said last, by the provider's names. */
  readonly training: readonly ScoreRow[]
  /** Absent where the two were never put to the same held-out set: other figures would compare the sets. */
  readonly evaluation?: {
    readonly datasetHash: string
    readonly examples: number
    readonly scores: readonly ScoreRow[]
    /** Over the base, of each of the two: how sure its own score is. */
    readonly gains: ModelEvaluation['gains']
    readonly otherGains: ModelEvaluation['gains']
  }
}

/** Two versions side by side; pure. Of evaluations, the newest pair over exactly the same examples of one set. */
export function compareModels(model: ModelVersion, other: ModelVersion): ModelsCompared {
  const training = rowsOf(model.training.metrics, other.training.metrics)
  const pair = newestPair(model.evaluations, other.evaluations)
  if (!pair) return { training }
  const [own, others] = pair
  const { datasetHash, examples, gains } = own
  const scores = rowsOf(own.tuned, others.tuned)
  return { training, evaluation: { datasetHash, examples, scores, gains, otherGains: others.gains } }
}

function newestPair(
  own: readonly ModelEvaluation[],
  others: readonly ModelEvaluation[],
): [ModelEvaluation, ModelEvaluation] | undefined {
  for (const each of own.toReversed()) {
    const other = others.findLast(
      ({ datasetHash, sampleHash }) => datasetHash === each.datasetHash && sampleHash === each.sampleHash,
    )
    if (other) return [each, other]
  }
  return undefined
}

function rowsOf(own: Scores, others: Scores): ScoreRow[] {
  const metrics = [...new Set([...Object.keys(own), ...Object.keys(others)])].sort((a, b) => (a < b ? -1 : 1))
  return metrics.map((metric) => {
    const [value, other] = [own[metric] ?? null, others[metric] ?? null]
    return { metric, value, other, difference: value === null || other === null ? null : value - other }
  })
}
