import { z } from 'zod'
import type { ModelEvaluation } from '../registry/model-version'
import { evaluationScores, shownEvaluationScores } from '../registry/model-view'
import { PAGE_EXAMPLES, type EvaluationRun, type KeptAnswer } from './evaluation-run'

const time = z.iso.datetime()

const common = {
  id: z.string(),
  modelId: z.string(),
  state: z.enum(['running', 'completed', 'failed']),
  fileId: z.string(),
  beganAt: time,
  endedAt: time.optional(),
  by: z.string(),
  sample: z
    .object({
      datasetHash: z.string(),
      examples: z.int().meta({ description: 'That each model is asked.' }),
      eligible: z.int().meta({ description: 'Lines of the file that could be.' }),
      passedOver: z.int().meta({ description: 'Lines with nothing to compare answers with, or too large.' }),
    })
    .optional(),
  asked: z.int().meta({ description: 'Examples that are over.' }),
  fault: z
    .object({ code: z.string(), message: z.string() })
    .optional()
    .meta({ description: 'Why it failed, and what to do.' }),
  result: shownEvaluationScores.optional(),
}

/** An evaluation, under way or over, as its tenant sees it. */
export const shownEvaluation = z
  .object({
    ...common,
    answers: z
      .array(z.object({ line: z.int(), wanted: z.string(), tuned: z.string(), base: z.string() }))
      .optional()
      .meta({ description: 'Of the examples that were asked to be kept; only for who may manage models.' }),
  })
  .meta({ id: 'Evaluation' })

export const shownEvaluations = z.object({ evaluations: z.array(z.object(common).meta({ id: 'EvaluationSummary' })) })

/** `found` is what the model's registry has of it. */
export function evaluationView(
  run: EvaluationRun,
  found: ModelEvaluation | undefined,
): z.infer<typeof shownEvaluations>['evaluations'][number] {
  const { id, modelId, stage, wish, beganAtMs, by, sample, pagesDone } = run
  return {
    id,
    modelId,
    state: stage.kind,
    fileId: wish.fileId,
    beganAt: iso(beganAtMs),
    ...(stage.kind === 'running' ? {} : { endedAt: iso(stage.atMs) }),
    by: by.callerId,
    ...(sample ? { sample } : {}),
    asked: Math.min(pagesDone * PAGE_EXAMPLES, sample?.examples ?? 0),
    ...(stage.kind === 'failed' ? { fault: { code: stage.code, message: stage.message } } : {}),
    ...(found ? { result: evaluationScores(found) } : {}),
  }
}

export const withAnswers = (
  shown: ReturnType<typeof evaluationView>,
  answers: readonly KeptAnswer[],
): z.infer<typeof shownEvaluation> => (answers.length === 0 ? shown : { ...shown, answers: [...answers] })

const iso = (timeMs: number) => new Date(timeMs).toISOString()
