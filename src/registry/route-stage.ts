import { Problem } from '../base/problem'
import type { ModelStage, RouteWish } from './model-stages'
import type { Promotions } from './promotions'

/** The last stage of a tuning job: an alias is led to its model, step by step, or not at all. */
export const createRouteStage = (
  promotions: Pick<Promotions, 'begin' | 'advance' | 'takeBack'>,
): ModelStage<RouteWish> => ({
  do: async ({ scope, jobId, operationId, modelId, wish }) => {
    const { alias, rollBackOn } = wish
    const steps = toAll(wish.steps)
    const begun = await promotions.begin(scope, { modelId, alias, steps, rollBackOn, operationId, by: jobId })
    if (begun instanceof Problem) return { kind: 'refused', problem: begun }
    const advanced = await promotions.advance(scope, alias, operationId)
    switch (advanced.kind) {
      case 'led':
        return { kind: 'done' }
      case 'not-yet':
        return advanced
      case 'returned':
        return { kind: 'refused', problem: new Problem('conflict', `The route was taken back. ${advanced.why}`) }
    }
  },
  undo: async ({ scope, operationId, wish }) => {
    await promotions.takeBack(scope, wish.alias, operationId)
    return { kind: 'done' }
  },
})

/** A job whose shares end below all calls means those in the end too. */
const toAll = (steps: RouteWish['steps']): RouteWish['steps'] =>
  steps.at(-1)?.percent === 100 ? steps : [...steps, { percent: 100, minutes: 0 }]
