import { assert, assertNever } from '../base/assert'
import { Problem } from '../base/problem'
import { EVALUATIONS_MAX, type ModelEvaluation } from '../registry/model-version'
import type { TenantScope } from '../storage/tenant-scope'
import type { Contenders, Hold } from './ask-example'
import type { Asking } from './ask-model'
import { askPage } from './ask-page'
import { callerOf } from './caller-of'
import { conclude } from './conclude'
import { pagesOf, type EvaluationRun, type SampleFacts } from './evaluation-run'
import type { Advanced, EvaluationsDeps } from './evaluations'
import { awake, chooseContenders, faultOf, noModel, sampled } from './prepare-run'

/** After this much work others have their turn, and whoever asked for it looks whether it is still wanted. */
const SLICE_MS = 20_000
/** An evaluation waits this long for backends and limits, and then says that it cannot be done. */
export const RUN_MS_MAX = 3 * 24 * 3_600_000
/** Until every instance knows an alias that was made a moment ago: they hold a tenant's snapshot for less than that. */
const KNOWN_EVERYWHERE_MS = 120_000
const AGAIN_MS = 2_000
const SUSPENDED_AGAIN_MS = 60_000
/** Of the tenant's limits: with less left an evaluation lets the tenant's own calls go first. */
const LEFT_TO_OTHERS = 0.5
const OTHERS_FIRST_MS = 10_000

/** One slice of an evaluation, from wherever it stands. */
export async function advanceRun(deps: EvaluationsDeps, scope: TenantScope, run: EvaluationRun): Promise<Advanced> {
  switch (run.stage.kind) {
    case 'completed': {
      // Also where whoever completed it did not come this far.
      await deps.store.removePages(scope, run.id)
      const model = await deps.registry.get(scope, run.modelId)
      return { kind: 'completed', evaluation: model?.evaluations.find(({ id }) => id === run.id) }
    }
    case 'failed':
      return { kind: 'failed', problem: new Problem('conflict', run.stage.message) }
    case 'running': {
      const advanced = await workOn(deps, scope, run)
      if (advanced.kind === 'failed') await noteFailure(deps, scope, run, advanced.problem)
      return advanced
    }
    default:
      return assertNever(run.stage)
  }
}

async function workOn(deps: EvaluationsDeps, scope: TenantScope, run: EvaluationRun): Promise<Advanced> {
  const tenant = await deps.tenantOf(scope.tenantId)
  if (!tenant || tenant.state === 'offboarding') return failed('The tenant is being offboarded.')
  if (tenant.state !== 'active') return { kind: 'not-yet', againAfterMs: SUSPENDED_AGAIN_MS }
  const ageMs = deps.clock.now() - run.beganAtMs
  if (ageMs > RUN_MS_MAX)
    return failed('The models could not be asked in time. Look at the limits of your tenant, then ask again.')
  const model = await deps.registry.get(scope, run.modelId)
  const fault = model ? faultOf(model) : noModel
  if (!model || fault) return { kind: 'failed', problem: fault ?? noModel }
  const woken = await awake(deps, scope, { model, by: run.id })
  if (woken.kind !== 'ready') return woken

  const sample = run.sample ?? (await sampled(deps, scope, run))
  if (sample instanceof Problem) return { kind: 'failed', problem: sample }
  const contenders = await chooseContenders(deps, scope, { run, model, tenant })
  if (contenders === 'not-known-yet' && ageMs < KNOWN_EVERYWHERE_MS) return { kind: 'not-yet', againAfterMs: AGAIN_MS }
  if (contenders === 'not-known-yet')
    return failed('The model has no alias of its name. Deploy it again, then ask again.')
  if (contenders instanceof Problem) return { kind: 'failed', problem: contenders }
  const asking: Asking = { call: deps.call, tenant, caller: callerOf(scope, run.by) }
  const asked = await askPages(deps, scope, { run, sample, asking, contenders })
  if (asked) return asked
  return finish(deps, scope, { ...run, sample, baseAlias: contenders.base.name })
}

/** Undefined when everything was asked. */
async function askPages(
  { store, clock }: EvaluationsDeps,
  scope: TenantScope,
  given: { run: EvaluationRun; sample: SampleFacts; asking: Asking; contenders: Contenders },
): Promise<Advanced | undefined> {
  const { run, sample, asking, contenders } = given
  const { id } = run
  const pages = pagesOf(sample)
  const endsAtMs = clock.monotonicMs() + SLICE_MS
  let page = run.pagesDone
  const pause = async (againAfterMs: number): Promise<Advanced> => {
    await store.change(scope, run, (before) =>
      before && before.pagesDone < page ? { ...before, pagesDone: page } : before,
    )
    return { kind: 'not-yet', againAfterMs }
  }
  while (page < pages) {
    const { hold, remaining } = await askPage({ store, asking, contenders }, { scope, id, page })
    if (hold) return hold.kind === 'refused' ? refusal(hold) : pause(hold.afterMs)
    page += 1
    if (page === pages) return undefined
    if (remaining < LEFT_TO_OTHERS) return pause(OTHERS_FIRST_MS)
    if (clock.monotonicMs() >= endsAtMs) return pause(0)
  }
  return undefined
}

/** The answer of one model is nobody's to see, but why it was refused is its tenant's to mend. */
const refusal = ({ problem }: Extract<Hold, { kind: 'refused' }>): Advanced => ({ kind: 'failed', problem })

/** The registry first (E2): whoever repeats it finds it there by its id. */
async function finish(deps: EvaluationsDeps, scope: TenantScope, run: EvaluationRun): Promise<Advanced> {
  const { store, registry, clock } = deps
  const concluded = await conclude(store, scope, run)
  if (concluded instanceof Problem) return { kind: 'failed', problem: concluded }
  const { answers } = concluded
  if (answers.length > 0) await store.putAnswers(scope, run.id, answers)
  const evaluation: ModelEvaluation = { ...concluded.evaluation, atMs: clock.now() }
  const model = await registry.change(scope, run.modelId, (before) =>
    before.evaluations.some(({ id }) => id === run.id)
      ? before
      : { ...before, evaluations: [...before.evaluations, evaluation].slice(-EVALUATIONS_MAX) },
  )
  if (!model) return { kind: 'failed', problem: noModel }
  assert(run.sample, 'what is concluded was sampled')
  const pagesDone = pagesOf(run.sample)
  await store.change(
    scope,
    run,
    (before) => before && { ...before, stage: { kind: 'completed', atMs: evaluation.atMs }, pagesDone },
  )
  await store.removePages(scope, run.id)
  return { kind: 'completed', evaluation: model.evaluations.find(({ id }) => id === run.id) ?? evaluation }
}

const noteFailure = ({ store, clock }: EvaluationsDeps, scope: TenantScope, run: EvaluationRun, problem: Problem) =>
  store.change(scope, run, (before) =>
    before?.stage.kind === 'running'
      ? { ...before, stage: { kind: 'failed', atMs: clock.now(), code: problem.code, message: problem.public } }
      : before,
  )

const failed = (text: string): Advanced => ({ kind: 'failed', problem: new Problem('conflict', text) })
