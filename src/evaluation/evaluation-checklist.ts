import type { EvaluationId, ModelId } from '../base/ids'
import { done, type Checklist, type Operation, type StepOutcome } from '../checklists/checklist'
import { TenantScope } from '../storage/tenant-scope'
import { RUN_MS_MAX } from './advance-run'
import type { Evaluations } from './evaluations'

/** The record of the evaluation has all else. */
export interface EvaluationTask {
  readonly modelId: ModelId
  readonly id: EvaluationId
}

export const evaluationName = 'evaluation'

/** Its end is its own, not a timeout's. */
const TIMEOUT_MS = RUN_MS_MAX + 24 * 3_600_000
/** Hours of an outage, with 30 s between two attempts. */
const ATTEMPTS_MAX = 1_000

/**
 * Evaluates a model that somebody asked to be evaluated by itself. One step: how far it is stands in the run's own record. Where it
 * fails the record says why, and there is nothing to undo.
 */
export const evaluationChecklist = (evaluations: Pick<Evaluations, 'advance'>): Checklist<EvaluationTask> => ({
  name: evaluationName,
  onFailure: 'stop',
  steps: [
    {
      id: 'evaluate',
      timeoutMs: TIMEOUT_MS,
      attemptsMax: ATTEMPTS_MAX,
      do: async ({ tenantId, input }: Operation<EvaluationTask>): Promise<StepOutcome> => {
        const advanced = await evaluations.advance(TenantScope.ofPlatform(tenantId), input)
        switch (advanced.kind) {
          case 'completed':
            return done({ modelId: input.modelId })
          case 'not-yet':
            return advanced
          case 'failed':
            return { kind: 'failed', problem: advanced.problem }
        }
      },
    },
  ],
})
