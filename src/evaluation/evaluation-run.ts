import type { EvaluationId, ModelId, TuningJobId } from '../base/ids'
import type { EvaluationWish, StageCaller } from '../registry/model-stages'

/**
 * One evaluation of one tuned model, under way or over. Sealed with the tenant's key: prompts to graders are its own words. Times
 * are Unix milliseconds.
 *
 * E1  What was asked of the models is kept page by page, and nothing that is kept is asked again.
 * E2  The evaluation stands in the model's registry before its run says that it is over.
 * E3  Conversations and answers are kept sealed for as long as the run needs them, and then only those that its wish names.
 */
export interface EvaluationRun {
  readonly id: EvaluationId
  readonly modelId: ModelId
  readonly by: StageCaller
  readonly wish: EvaluationWish
  readonly beganAtMs: number
  readonly stage: RunStage
  /** Once the file was read. */
  readonly sample?: SampleFacts | undefined
  /** Behind which the base is asked; chosen once, so that all examples are put to the same. */
  readonly baseAlias?: string | undefined
  /** Pages that are over. */
  readonly pagesDone: number
}

export type RunStage =
  | { readonly kind: 'running' }
  | { readonly kind: 'completed'; readonly atMs: number }
  /** `message` says what to do; asked for again under its id it goes on where it was. */
  | { readonly kind: 'failed'; readonly atMs: number; readonly code: string; readonly message: string }

export interface SampleFacts {
  readonly datasetHash: `sha256:${string}`
  /** That are put to each model. */
  readonly examples: number
  /** Lines that could have been. */
  readonly eligible: number
  /** Lines with nothing to compare, or too large. */
  readonly passedOver: number
}

/** A page is what is asked at once and kept at once: at most so many examples are asked again after a crash. */
export const PAGE_EXAMPLES = 4

export const pagesOf = ({ examples }: Pick<SampleFacts, 'examples'>) => Math.ceil(examples / PAGE_EXAMPLES)

/** The stage of a job makes one evaluation, whoever repeats it. */
export const evaluationIdOf = (jobId: TuningJobId): EvaluationId => `evl_${jobId.slice('ftjob-'.length)}`

/** What one model has said to one example, or why it has said nothing. */
export type Said =
  | { readonly kind: 'answered'; readonly text: string }
  /** It will not answer this one: its code says why. */
  | { readonly kind: 'unanswered'; readonly code: string }

/** How far one example is. */
export interface ExampleProgress {
  readonly tuned?: Said | undefined
  readonly base?: Said | undefined
  /** What the grader has said of each answer. */
  readonly tunedGrade?: Said | undefined
  readonly baseGrade?: Said | undefined
  /** How often somebody failed to answer who may do so the next time. */
  readonly failures: number
}

export interface KeptAnswer {
  readonly line: number
  readonly wanted: string
  readonly tuned: string
  readonly base: string
}
