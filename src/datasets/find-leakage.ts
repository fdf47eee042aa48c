import { PAIRS_LISTED_MAX } from './dataset-bounds'
import type { Estimate, ExampleSketch } from './example-sketch'

/** Which examples of both datasets are the same: what is validated with them is not what was learned, but what was memorised. */
export interface LeakageReport {
  /** Lines of the validation dataset that stand in the training dataset too, by `ExampleHasher`. */
  readonly leaked: Estimate
  /** The first of them, in the order of the validation dataset. */
  readonly pairs: readonly { readonly trainingLine: number; readonly validationLine: number }[]
}

/** Compares the examples of two datasets, each with the sketch that its validation gave. */
export function findLeakage(training: ExampleSketch, validation: ExampleSketch): LeakageReport {
  const pairs: { trainingLine: number; validationLine: number }[] = []
  for (const entry of validation.entries()) {
    const trainingLine = training.firstLineOf(entry)
    if (trainingLine !== undefined) pairs.push({ trainingLine, validationLine: entry.firstLine })
  }
  pairs.sort((a, b) => a.validationLine - b.validationLine)
  return { leaked: training.linesAlsoIn(validation), pairs: pairs.slice(0, PAIRS_LISTED_MAX) }
}
