import { assert } from '../../base/assert'
import { Problem, ProblemError } from '../../base/problem'
import { done } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import { allConsent, objected, onBuild } from '../build-run'
import { parseSharedModelId, backendOf, contributorIds, offeredTo, type SharedModel } from '../shared-model'
import { ATTEMPTS_MAX, BUILD_MS_MAX, type SharedModelDeps, type SharedModelStep } from '../shared-model-deps'
import { beginRetirement } from '../retirement'

/** Contributors may be led to it from now on, and those to whom operators gave it. */
export const offerStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'offer',
  timeoutMs: BUILD_MS_MAX,
  attemptsMax: ATTEMPTS_MAX,
  do: onBuild(deps, async (run) => {
    const { id, model } = run
    if (!(await allConsent(deps, run))) return objected
    for (const tenantId of offeredTo(model)) await deps.models.note(TenantScope.ofPlatform(tenantId), id)
    const shared = await deps.backends.shareWith(backendOf(id), offeredTo(model))
    if (shared instanceof Problem) throw new ProblemError(shared)
    const ready = await deps.models.change(id, (before) =>
      before.affected || before.state.kind !== 'building'
        ? before
        : { ...before, state: { kind: 'ready', sinceMs: deps.clock.now() } },
    )
    return ready?.affected ? objected : done({ offeredTo: String(offeredTo(model).length) })
  }),
})

/** Takes the place of the one before it, in every alias that leads there; then that one goes. */
export const supersedeStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'supersede',
  timeoutMs: BUILD_MS_MAX,
  attemptsMax: ATTEMPTS_MAX,
  do: async ({ operationId }) => {
    const id = parseSharedModelId(operationId)
    assert(id, 'a build runs under its model’s id')
    const model = await deps.models.get(id)
    const old = model?.supersedes && (await deps.models.get(model.supersedes))
    if (model?.state.kind !== 'ready' || !old) return done()
    await moveOn(deps, model, old)
    await beginRetirement(deps, old.id, 'superseded')
    return done({ superseded: old.id })
  },
})

/** Whoever may not be led to the new one was led back when that was found out, or is now. */
async function moveOn({ adoptions }: SharedModelDeps, model: SharedModel, old: SharedModel): Promise<void> {
  const may = new Set(offeredTo(model))
  for (const tenantId of new Set([...contributorIds(old), ...old.grants])) {
    const scope = TenantScope.ofPlatform(tenantId)
    if (may.has(tenantId)) await adoptions.moveOn(scope, old.id, model.id)
    else await adoptions.leadBack(scope, old.id)
  }
}
