import { Problem } from '../base/problem'
import type { EvaluationWish, ModelStage, StageOf } from '../registry/model-stages'
import type { ModelEvaluation } from '../registry/model-version'
import { evaluationIdOf } from './evaluation-run'
import type { Evaluations } from './evaluations'

/** The stage of a tuning job in which its model is put beside its base: one evaluation, however often the stage is asked. */
export const createEvaluateStage = (
  evaluations: Pick<Evaluations, 'check' | 'begin' | 'advance' | 'remove'>,
): ModelStage<EvaluationWish> => ({
  check: evaluations.check,
  do: async ({ scope, jobId, modelId, wish, by }) => {
    const at = atOf({ jobId, modelId })
    const begun = await evaluations.begin(scope, { ...at, wish, by })
    if (begun instanceof Problem) return { kind: 'refused', problem: begun }
    const advanced = await evaluations.advance(scope, at)
    switch (advanced.kind) {
      case 'completed':
        return advanced.evaluation ? { kind: 'done', said: inWords(advanced.evaluation) } : { kind: 'done' }
      case 'not-yet':
        return advanced
      case 'failed':
        return { kind: 'refused', problem: advanced.problem }
    }
  },
  undo: async ({ scope, jobId, modelId }) => {
    await evaluations.remove(scope, atOf({ jobId, modelId }))
    return { kind: 'done' }
  },
})

const atOf = ({ jobId, modelId }: Pick<StageOf<EvaluationWish>, 'jobId' | 'modelId'>) => ({
  modelId,
  id: evaluationIdOf(jobId),
})

function inWords({ examples, tuned, base }: ModelEvaluation): string {
  const scores = Object.keys(tuned).map((metric) => `${metric} ${shown(tuned[metric])} (base ${shown(base[metric])})`)
  return `Evaluated over ${examples} held-out examples: ${scores.join(', ')}.`
}

const shown = (score = 0) => score.toFixed(3)
