import { assert } from '../base/assert'
import {
  parseSharedModelId,
  contributorIds,
  type RetirementReason,
  type SharedModel,
  type SharedModelId,
} from './shared-model'
import { done, type Checklist } from '../checklists/checklist'
import { TenantScope } from '../storage/tenant-scope'
import { retirementName } from './begin-shared-model'
import { affectedAlertOf } from './objections'
import {
  ATTEMPTS_MAX,
  BUILD_MS_MAX,
  type SharedModelDeps,
  type SharedModelStep,
  type SharedModelTask,
} from './shared-model-deps'
import { emptied } from './steps/owner-step'

/** From now on the model goes. Repeating it changes nothing; undefined for one that is not ready. */
export async function beginRetirement(
  { models, beginnings, clock }: Pick<SharedModelDeps, 'models' | 'beginnings' | 'clock'>,
  id: SharedModelId,
  why: RetirementReason,
): Promise<SharedModel | undefined> {
  const model = await models.change(id, (before) =>
    before.state.kind === 'ready' ? { ...before, state: { kind: 'retiring', sinceMs: clock.now(), why } } : before,
  )
  if (model?.state.kind !== 'retiring') return undefined
  await beginnings.ask(id)
  return model
}

/**
 * The end of a shared model: nobody is led to it, then its deployment, the model at the provider, its files and its owner's data key
 * are deleted. Nothing of it is undone; started again it goes on where it stopped.
 */
export const retirementChecklist = (deps: SharedModelDeps): Checklist<SharedModelTask> => ({
  name: retirementName,
  onFailure: 'stop',
  steps: [leadBackStep(deps), drainStep(deps), emptyStep(deps), noteStep(deps)],
})

const bounds = { timeoutMs: BUILD_MS_MAX, attemptsMax: ATTEMPTS_MAX }

type Work = (
  model: SharedModel,
  run: { readonly owner: TenantScope; readonly stepStartedAt: number },
) => ReturnType<SharedModelStep['do']>

const onRetiring =
  (deps: SharedModelDeps, work: Work): SharedModelStep['do'] =>
  async ({ operationId, tenantId, stepStartedAt }) => {
    const id = parseSharedModelId(operationId.replace(/^shr_/, 'shm_'))
    assert(id, 'a retirement runs under its model’s id')
    const model = await deps.models.get(id)
    if (model?.state.kind !== 'retiring') return done()
    return work(model, { owner: TenantScope.ofPlatform(tenantId), stepStartedAt })
  }

const leadBackStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'lead-back',
  ...bounds,
  do: onRetiring(deps, async (model) => {
    for (const tenantId of new Set([...contributorIds(model), ...model.grants]))
      await deps.adoptions.leadBack(TenantScope.ofPlatform(tenantId), model.id)
    return done()
  }),
})

/** Until no instance leads by an older snapshot, and calls that began before have ended. */
const drainStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'drain',
  ...bounds,
  do: onRetiring(deps, async (_, { stepStartedAt }) => {
    const waitMs = stepStartedAt + deps.bounds.drainMs - deps.clock.now()
    return waitMs > 0 ? { kind: 'not-yet', againAfterMs: waitMs } : done()
  }),
})

const emptyStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'empty',
  ...bounds,
  do: onRetiring(deps, ({ id }, { owner }) => emptied(deps, owner, id)),
})

const noteStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'note',
  ...bounds,
  do: onRetiring(deps, async ({ id }) => {
    await deps.models.change(id, (before) =>
      before.state.kind === 'retiring'
        ? { ...before, state: { kind: 'retired', atMs: deps.clock.now(), why: before.state.why } }
        : before,
    )
    await deps.alerts.resolve(affectedAlertOf(id))
    await deps.audit.append('platform', {
      actor: { kind: 'orchestration', id },
      action: 'shared-models.retired',
      target: id,
      outcome: 'done',
      requestId: id,
    })
    return done()
  }),
})
