import type { Clock } from '../base/clock'
import type { EvaluationId, ModelId, TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Files } from '../files/files'
import type { EvaluationWish, StageCaller } from '../registry/model-stages'
import { EVALUATIONS_MAX, type ModelEvaluation, type ModelVersion } from '../registry/model-version'
import type { Registry } from '../registry/registry'
import type { Backends } from '../routing/backends'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import { advanceRun } from './advance-run'
import type { CallModel } from './ask-model'
import { checkEvaluation } from './begin-checks'
import type { EvaluationRun, KeptAnswer } from './evaluation-run'
import type { EvaluationStore } from './evaluation-store'
import { faultOf, noModel } from './prepare-run'

/** Puts the same held-out examples to a tuned model and to its base, and keeps what came of it. */
export interface Evaluations {
  /** Repeated under the same id it answers with what is there; one that failed goes on where it was. */
  begin(scope: TenantScope, order: EvaluationOrder): Promise<EvaluationRun | Problem>
  /** One slice of the work: to be asked again after `againAfterMs`, until it is over. */
  advance(scope: TenantScope, at: EvaluationAt): Promise<Advanced>
  get(scope: TenantScope, at: EvaluationAt): Promise<EvaluationRun | undefined>
  /** Of a model, the newest first; under way, over and failed. */
  list(scope: TenantScope, modelId: ModelId): Promise<readonly EvaluationRun[]>
  /** Those that were asked to be kept. */
  answers(scope: TenantScope, id: EvaluationId): Promise<readonly KeptAnswer[]>
  /** With all that was kept of it; one that never was is no error. */
  remove(scope: TenantScope, at: EvaluationAt): Promise<void>
  /** What stands in the way of a wish before there is a model. */
  check(scope: TenantScope, asked: { wish: EvaluationWish; baseModel: string }): Promise<Problem | undefined>
}

export interface EvaluationAt {
  readonly modelId: ModelId
  readonly id: EvaluationId
}

export interface EvaluationOrder extends EvaluationAt {
  readonly wish: EvaluationWish
  readonly by: StageCaller
}

export type Advanced =
  | { readonly kind: 'completed'; readonly evaluation: ModelEvaluation | undefined }
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
  | { readonly kind: 'failed'; readonly problem: Problem }

export interface EvaluationsDeps {
  readonly store: EvaluationStore
  readonly registry: Pick<Registry, 'get' | 'change' | 'list'>
  readonly files: Pick<Files, 'get' | 'read'>
  readonly backends: Backends['all']
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly call: CallModel
  /** One step towards a sleeping model answering again. */
  readonly wake: (scope: TenantScope, model: ModelVersion, by: string) => Promise<Woken>
  readonly clock: Clock
}

export type Woken =
  | { readonly kind: 'ready' }
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
  | { readonly kind: 'failed'; readonly problem: Problem }

export function createEvaluations(deps: EvaluationsDeps): Evaluations {
  const { store, registry, clock } = deps

  const runsOf = async (scope: TenantScope, modelId: ModelId) => {
    const runs: EvaluationRun[] = []
    for await (const run of store.list(scope, modelId)) runs.push(run)
    return runs
  }

  const beginAnew = async (scope: TenantScope, order: EvaluationOrder): Promise<EvaluationRun | Problem> => {
    const { id, modelId, wish, by } = order
    const model = await registry.get(scope, modelId)
    if (!model) return noModel
    const fault = faultOf(model)
    if (fault) return fault
    const unfit = await checkEvaluation(deps, scope, { wish, baseModel: model.lineage.baseModel })
    if (unfit) return unfit
    const runs = await runsOf(scope, modelId)
    if (runs.some((run) => run.stage.kind === 'running' && run.id !== id)) return underWay
    // The oldest make room: what they found stands in the registry for as long as there is room there.
    for (const { id: oldest } of runs.slice(0, Math.max(0, runs.length - EVALUATIONS_MAX + 1)))
      if (oldest !== id) await store.remove(scope, modelId, oldest)
    const fresh: EvaluationRun = {
      id,
      modelId,
      by,
      wish,
      beganAtMs: clock.now(),
      stage: { kind: 'running' },
      pagesDone: 0,
    }
    return (await store.change(scope, { modelId, id }, (known) => known ?? fresh)) ?? fresh
  }

  const againFrom = (scope: TenantScope, { modelId, id }: EvaluationRun) =>
    store.change(scope, { modelId, id }, (run) =>
      run?.stage.kind === 'failed' ? { ...run, stage: { kind: 'running' }, beganAtMs: clock.now() } : run,
    )

  return {
    begin: async (scope, order) => {
      const known = await store.get(scope, order.modelId, order.id)
      if (!known) return beginAnew(scope, order)
      return known.stage.kind === 'failed' ? ((await againFrom(scope, known)) ?? known) : known
    },
    advance: async (scope, at) => {
      const run = await store.get(scope, at.modelId, at.id)
      return run ? advanceRun(deps, scope, run) : { kind: 'failed', problem: noEvaluation }
    },
    get: (scope, { modelId, id }) => store.get(scope, modelId, id),
    list: async (scope, modelId) => (await runsOf(scope, modelId)).toReversed(),
    answers: store.answers,
    remove: async (scope, { modelId, id }) => {
      await registry.change(scope, modelId, (model) =>
        model.evaluations.some((each) => each.id === id)
          ? { ...model, evaluations: model.evaluations.filter((each) => each.id !== id) }
          : model,
      )
      await store.remove(scope, modelId, id)
    },
    check: (scope, asked) => checkEvaluation(deps, scope, asked),
  }
}

const noEvaluation = new Problem('not_found', 'There is no such evaluation.')
const underWay = new Problem('conflict', 'The model is being evaluated already. Wait until that is over.')
