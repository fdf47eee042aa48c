import { Problem, ProblemError } from '../../base/problem'
import { done, type UndoOutcome } from '../../checklists/checklist'
import type { TenantScope } from '../../storage/tenant-scope'
import type { TenantInput } from '../../tenants/tenant-input'
import { onBuild, undoOf } from '../build-run'
import { jobOf, type SharedModel, type SharedModelId } from '../shared-model'
import { ATTEMPTS_MAX, BUILD_MS_MAX, type SharedModelDeps, type SharedModelStep } from '../shared-model-deps'

/** The tenant of the platform's own whose everything of this model is, with a data key that nothing else is sealed with. */
export const ownerStep = (deps: SharedModelDeps): SharedModelStep => ({
  id: 'owner',
  timeoutMs: BUILD_MS_MAX,
  attemptsMax: ATTEMPTS_MAX,
  do: onBuild(deps, async ({ model, owner }) => {
    await deps.keyring.create(owner)
    orThrow(await deps.tenants.register(owner.tenantId, ownerRecord(model)))
    orThrow(await deps.tenants.transition(owner, 'activate'))
    return done()
  }),
  undo: undoOf(deps, ({ id, owner }) => emptied(deps, owner, id)),
})

/** Its training is called back first: what runs would make more. */
export async function emptied(deps: SharedModelDeps, owner: TenantScope, id: SharedModelId): Promise<UndoOutcome> {
  if (!(await deps.tenants.get(owner))) return done()
  const job = await deps.tuningJobs.get(owner, jobOf(id))
  if (job && job.finishedAt === undefined) {
    await deps.tuningJobs.cancel(owner, job.id)
    return { kind: 'not-yet', againAfterMs: deps.bounds.pollMs }
  }
  const removed = await deps.emptyOwner(owner)
  return removed.kind === 'removed' ? done() : removed
}

/** In the purpose's region and no other, so that what is trained and served stays there. */
const ownerRecord = ({ id, region }: SharedModel): TenantInput => ({
  displayName: `Owner of ${id}`,
  contact: { email: 'platform@localhost.localdomain' },
  tier: 'standard',
  region,
  residency: [region],
  isolation: { models: 'shared', data: 'logical' },
  aliases: [],
  limitOverrides: {},
  settings: {},
})

function orThrow<T>(result: T | Problem): T {
  if (result instanceof Problem) throw new ProblemError(result)
  return result
}
