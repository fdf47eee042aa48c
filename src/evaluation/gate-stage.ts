import { assertNever } from '../base/assert'
import { Problem } from '../base/problem'
import type { GateWish, ModelStage } from '../registry/model-stages'
import type { Registry } from '../registry/registry'
import { evaluationIdOf } from './evaluation-run'
import { judgeThreshold } from './judge-threshold'

const HOUR_MS = 3_600_000

/** What stands between a trained model and its tenant's calls: a score, or somebody's word. */
export const createGateStage = ({ registry }: { registry: Pick<Registry, 'get'> }): ModelStage<GateWish> => ({
  do: async ({ scope, jobId, modelId, wish, decision }) => {
    switch (wish.kind) {
      case 'threshold': {
        const model = await registry.get(scope, modelId)
        // The job's own: others may have evaluated the model since, with other data.
        const evaluation = model?.evaluations.find(({ id }) => id === evaluationIdOf(jobId))
        const problem = judgeThreshold(wish, evaluation)
        return problem ? { kind: 'refused', problem } : { kind: 'done' }
      }
      case 'approval': {
        if (!decision) return { kind: 'needs-decision', timeoutMs: wish.timeoutHours * HOUR_MS }
        if (decision.approved) return { kind: 'done' }
        const why = decision.reason === undefined ? '' : `: ${decision.reason}`
        return { kind: 'refused', problem: new Problem('conflict', `The model was not approved${why}.`) }
      }
      default:
        return assertNever(wish)
    }
  },
})
