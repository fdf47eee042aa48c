import { z } from 'zod'
import type { AliasPromotion } from './alias-promotion'
import type { ModelsCompared } from './compare-models'
import { deploymentSkus, type ModelEvaluation, type ModelVersion } from './model-version'

const time = z.iso.datetime()
const scores = z.record(z.string(), z.number())
const dataset = z.object({ fileId: z.string(), contentHash: z.string(), examples: z.int() })

const gain = z
  .object({ mean: z.number(), low: z.number(), high: z.number() })
  .meta({ description: 'By how much the tuned model is better, and the interval in which that lies 95 times of 100.' })

/** What an evaluation found. */
export const shownEvaluationScores = z
  .object({
    id: z.string(),
    at: time,
    fileId: z.string(),
    datasetHash: z.string(),
    sampleHash: z
      .string()
      .meta({ description: 'Of the lines that counted: only evaluations of the same are comparable.' }),
    examples: z.int().meta({ description: 'That both models answered.' }),
    unanswered: z.int(),
    tuned: scores,
    base: scores,
    gains: z.record(z.string(), gain),
    baseAlias: z.string().meta({ description: 'Behind which the base was asked.' }),
    graderAlias: z.string().optional(),
  })
  .meta({ id: 'EvaluationScores' })

export const deploymentStates = ['none', 'deploying', 'deployed', 'asleep', 'removing'] as const

const summary = {
  id: z.string(),
  name: z.string().meta({ description: 'By which the tenant calls it, once it is deployed.' }),
  family: z.string(),
  version: z.int(),
  registeredAt: time,
  archivedAt: time.optional(),
  baseModel: z.string(),
  deployment: z.object({
    state: z.enum(deploymentStates),
    since: time.optional(),
    sku: z.enum(deploymentSkus).optional(),
    capacity: z.int().optional(),
  }),
}

export const shownModelSummary = z.object(summary).meta({ id: 'ModelSummary' })

/** A tuned model as its tenant sees it: where it lies at the provider, and as what, is the platform's own affair (M2). */
export const shownModel = z
  .object({
    ...summary,
    lineage: z.object({
      jobId: z.string(),
      baseModel: z.string(),
      parent: z.string().optional(),
      copyOf: z.string().optional().meta({ description: 'The same model, trained in another region.' }),
      rebuilds: z.string().optional().meta({ description: 'The model that this one was trained anew for.' }),
      method: z.string(),
      trainingType: z.string(),
      hyperparameters: z.record(z.string(), z.union([z.number(), z.string()])),
      seed: z.int().optional(),
      suffix: z.string().optional(),
      training: dataset,
      validation: dataset.optional(),
      by: z.string(),
      consentAt: time,
    }),
    training: z.object({
      startedAt: time.optional(),
      finishedAt: time,
      trainedTokens: z.int().optional(),
      metrics: scores,
      resultFileId: z.string().optional(),
    }),
    evaluations: z.array(shownEvaluationScores),
    history: z.array(z.object({ at: time, event: z.string(), by: z.string(), detail: z.string().optional() })),
    promotions: z.array(z.object({ alias: z.string(), at: time, by: z.string() })),
  })
  .meta({ id: 'Model' })

export const shownPromotion = z
  .object({
    operationId: z.string(),
    modelId: z.string(),
    alias: z.string(),
    state: z.enum(['leading', 'led', 'returning', 'returned']),
    percent: z.int().meta({ description: 'Of the alias’s calls that are led to the model now.' }),
    steps: z.array(z.object({ percent: z.int(), minutes: z.number() })),
    why: z.string().optional().meta({ description: 'Why the alias was led back.' }),
    by: z.string(),
    beganAt: time,
  })
  .meta({ id: 'Promotion' })

const rows = z.array(
  z.object({
    metric: z.string(),
    value: z.number().nullable(),
    other: z.number().nullable(),
    difference: z.number().nullable(),
  }),
)

const comparedGains = z
  .record(z.string(), gain)
  .meta({ description: 'Over its own base, with the interval: a difference of two models within both shows nothing.' })

export const shownComparison = z
  .object({
    model: shownModelSummary,
    other: shownModelSummary,
    training: rows,
    evaluation: z
      .object({
        datasetHash: z.string(),
        examples: z.int(),
        scores: rows,
        gains: comparedGains,
        otherGains: comparedGains,
      })
      .optional()
      .meta({ description: 'Absent where the two were never put to the same held-out set.' }),
  })
  .meta({ id: 'ModelComparison' })

export function modelSummary(model: ModelVersion): z.infer<typeof shownModelSummary> {
  const { id, name, family, version, registeredAt, archivedAt, lineage, deployment } = model
  return {
    id,
    name,
    family,
    version,
    registeredAt: isoTime(registeredAt),
    ...(archivedAt === undefined ? {} : { archivedAt: isoTime(archivedAt) }),
    baseModel: lineage.baseModel,
    deployment:
      deployment.kind === 'none'
        ? { state: 'none' }
        : {
            state: deployment.kind,
            since: isoTime(deployment.sinceMs),
            sku: deployment.plan.sku,
            capacity: deployment.plan.capacity,
          },
  }
}

export function modelView(model: ModelVersion): z.infer<typeof shownModel> {
  const { lineage, training, evaluations, history, promotions } = model
  const { startedAt, finishedAt, ...facts } = training
  return {
    ...modelSummary(model),
    lineage: { ...lineage, consentAt: isoTime(lineage.consentAt) },
    training: {
      ...facts,
      ...(startedAt === undefined ? {} : { startedAt: isoTime(startedAt) }),
      finishedAt: isoTime(finishedAt),
    },
    evaluations: evaluations.map(evaluationScores),
    history: history.map(({ atMs, kind, ...event }) => ({ at: isoTime(atMs), event: kind, ...event })),
    promotions: promotions.map(({ alias, atMs, by }) => ({ alias, at: isoTime(atMs), by })),
  }
}

export const evaluationScores = ({ atMs, ...scored }: ModelEvaluation): z.infer<typeof shownEvaluationScores> => ({
  ...scored,
  at: isoTime(atMs),
})

export function promotionView(promotion: AliasPromotion): z.infer<typeof shownPromotion> {
  const { operationId, modelId, alias, stage, steps, by, beganAtMs } = promotion
  return {
    operationId,
    modelId,
    alias,
    state: stage.kind,
    percent: percentOf(promotion),
    steps: [...steps],
    ...('why' in stage ? { why: stage.why } : {}),
    by,
    beganAt: isoTime(beganAtMs),
  }
}

function percentOf({ stage, steps }: AliasPromotion): number {
  if (stage.kind === 'led') return 100
  return stage.kind === 'leading' ? (steps[stage.step]?.percent ?? 100) : 0
}

export const comparisonView = (
  model: ModelVersion,
  other: ModelVersion,
  { training, evaluation }: ModelsCompared,
): z.infer<typeof shownComparison> => ({
  model: modelSummary(model),
  other: modelSummary(other),
  training: [...training],
  ...(evaluation ? { evaluation: { ...evaluation, scores: [...evaluation.scores] } } : {}),
})

const isoTime = (timeMs: number) => new Date(timeMs).toISOString()
