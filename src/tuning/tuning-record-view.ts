import { z } from 'zod'
import type { OrchestrationStatus } from '../base/durable-steps'
import { checklistView, type ChecklistStatus } from '../checklists/checklist-status'
import type { DatasetFacts, TuningJob } from './tuning-job'
import { isOver } from './tuning-job'
import { modelNameOf } from './tuning-view'

const time = z.iso.datetime()
const dataset = z.object({
  fileId: z.string(),
  datasetId: z.string().optional().meta({ description: 'With the report of the file, under /api/tenant/datasets.' }),
  contentHash: z.string().optional(),
  examples: z.int().optional(),
  tokens: z.number().optional(),
  warnings: z.int().optional(),
  piiLines: z.int().optional().meta({ description: 'Lines with identifying data.' }),
})
const step = z.object({
  id: z.string(),
  state: z.string(),
  startedAt: time.optional(),
  endedAt: time.optional(),
})

/** A job as the tenant API shows it: what OpenAI's shape has no place for. */
export const shownTuningJob = z
  .object({
    id: z.string(),
    status: z.enum(['validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled']),
    attempt: z.int(),
    createdAt: time,
    finishedAt: time.optional(),
    model: z.string(),
    tunedModel: z.string().optional().meta({ description: 'By which calls name it, once it is deployed.' }),
    modelId: z.string().optional(),
    method: z.string(),
    hyperparameters: z.record(z.string(), z.union([z.number(), z.string()])),
    trainingType: z.string(),
    suffix: z.string().optional(),
    seed: z.int().optional(),
    metadata: z.record(z.string(), z.string()).optional(),
    training: dataset,
    validation: dataset.optional(),
    epochs: z.number().optional(),
    leakedLines: z.number().optional().meta({ description: 'Of the validation file, that are trained on too.' }),
    consent: z.object({ by: z.string(), at: time }),
    region: z.string().optional().meta({ description: 'Where it is trained.' }),
    trainedTokens: z.number().optional(),
    costMicroUsd: z.number().optional(),
    estimatedFinish: time.optional(),
    resultFile: z.string().optional(),
    waitsForApproval: z.boolean(),
    deploy: z.object({ sku: z.string(), capacity: z.int() }).nullable(),
    fault: z
      .object({ code: z.string(), message: z.string(), param: z.string().nullable(), next: z.string() })
      .optional()
      .meta({ description: 'Why it failed; `next` says what to do.' }),
    steps: z.array(step).optional().meta({ description: 'Of the latest attempt; only where one job is asked for.' }),
  })
  .meta({ id: 'TuningJob' })

export const shownTuningJobs = z.object({ jobs: z.array(shownTuningJob), next: z.string().optional() })

export function tuningRecordView(job: TuningJob, run?: OrchestrationStatus): z.infer<typeof shownTuningJob> {
  const { order, checked, seen, consent, wishes, fault } = job
  const { suffix, seed = seen?.seed, metadata } = order
  return {
    id: job.id,
    status: job.status,
    attempt: job.attempt,
    createdAt: iso(job.createdAt),
    ...(job.finishedAt === undefined ? {} : { finishedAt: iso(job.finishedAt) }),
    model: order.model,
    ...(job.modelId === undefined ? {} : { tunedModel: modelNameOf(job), modelId: job.modelId }),
    method: order.method,
    hyperparameters: { ...order.hyperparameters, ...seen?.hyperparameters },
    trainingType: order.trainingType,
    ...(suffix === undefined ? {} : { suffix }),
    ...(seed === undefined ? {} : { seed }),
    ...(metadata ? { metadata } : {}),
    training: datasetOf(order.trainingFileId, checked?.training),
    ...(order.validationFileId === undefined
      ? {}
      : { validation: datasetOf(order.validationFileId, checked?.validation) }),
    ...(checked ? { epochs: checked.epochs } : {}),
    ...(checked?.leaked ? { leakedLines: checked.leaked.lines } : {}),
    consent: { by: consent.by, at: iso(consent.atMs) },
    ...(job.account ? { region: job.account.region } : {}),
    ...(seen?.trainedTokens === undefined ? {} : { trainedTokens: seen.trainedTokens }),
    ...(job.metering?.used ? { costMicroUsd: job.metering.used.microUsd } : {}),
    ...(seen?.estimatedFinish === undefined || isOver(job) ? {} : { estimatedFinish: iso(seen.estimatedFinish) }),
    ...(job.results === 'kept' && job.resultFileId !== undefined ? { resultFile: job.resultFileId } : {}),
    waitsForApproval: job.approval === 'asked',
    deploy: wishes.deploy ?? null,
    ...(fault ? { fault } : {}),
    ...(run ? { steps: stepsOf(run) } : {}),
  }
}

const datasetOf = (fileId: string, facts: DatasetFacts | undefined) => ({
  fileId,
  ...(facts
    ? {
        ...(facts.datasetId === undefined ? {} : { datasetId: facts.datasetId }),
        ...(facts.piiLines === undefined ? {} : { piiLines: facts.piiLines }),
        contentHash: facts.contentHash,
        examples: facts.examples,
        tokens: facts.tokens,
        warnings: facts.faults.warnings,
      }
    : {}),
})

/** Without attempts and faults of steps, which are an operator's. */
function stepsOf({ output, status }: OrchestrationStatus): z.infer<typeof step>[] {
  const found = (output ?? status) as ChecklistStatus | null | undefined
  if (!found) return []
  return checklistView(found).steps.map(({ id, state, startedAt, endedAt }) => ({
    id,
    state,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(endedAt === undefined ? {} : { endedAt }),
  }))
}

const iso = (timeMs: number) => new Date(timeMs).toISOString()
