import { describeError } from '../base/log'
import { TenantScope } from '../storage/tenant-scope'
import { stillConsents } from './collect-contributors'
import { affect, retrain } from './objections'
import { beginRetirement } from './retirement'
import type { SharedModel } from './shared-model'
import type { SharedModelDeps } from './shared-model-deps'

/** A build that was asked for so long ago and is one still may never have begun: asking again does nothing where it has. */
const BEGUN_MS_MAX = 120_000

/**
 * Goes on with what broke off, for every model: consents that are gone and were not noticed, retrainings and retirements that were
 * not begun, and affected models whose time is over. Late, twice at once or broken off itself: each part can be repeated.
 */
export async function watchSharedModels(deps: SharedModelDeps): Promise<number> {
  let looked = 0
  for await (const model of deps.models.list()) {
    if (model.state.kind === 'retired' || model.state.kind === 'failed') continue
    looked += 1
    try {
      await watch(deps, model)
    } catch (error) {
      // Of one whose contributor is being moved, say; the next look comes.
      deps.log.warn('a shared model could not be looked after', { id: model.id, error: describeError(error) })
    }
  }
  return looked
}

async function watch(deps: SharedModelDeps, model: SharedModel): Promise<void> {
  const { id, state, createdAt, affected } = model
  const nowMs = deps.clock.now()
  if (state.kind === 'retiring' || (state.kind === 'building' && nowMs - createdAt > BEGUN_MS_MAX))
    await deps.beginnings.ask(id)
  if (state.kind !== 'ready') return
  for (const contributor of model.contributors) {
    const { tenantId, part } = contributor
    if (!tenantId || !part) continue
    const entry = await deps.consents.current(TenantScope.ofPlatform(tenantId), model.order.purposeId)
    if (!stillConsents(contributor, entry)) await affect(deps, id, tenantId)
  }
  if (!affected) return
  if (affected.retireByMs <= nowMs) await beginRetirement(deps, id, 'affected')
  else if (deps.bounds.retrain === 'start' && !(await isRetraining(deps, model))) await retrain(deps, model, 'platform')
}

/** One that failed was told to operators, who try again when they have seen to it. */
async function isRetraining({ models }: SharedModelDeps, { successor }: SharedModel): Promise<boolean> {
  return successor !== undefined && (await models.get(successor)) !== undefined
}
