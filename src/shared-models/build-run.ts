import { assert } from '../base/assert'
import { Problem } from '../base/problem'
import { done, type Operation, type StepOutcome } from '../checklists/checklist'
import { TenantScope } from '../storage/tenant-scope'
import { stillConsents } from './collect-contributors'
import { affect } from './objections'
import { parseSharedModelId, type SharedModel, type SharedModelId } from './shared-model'
import type { SharedModelDeps, SharedModelStep, SharedModelTask } from './shared-model-deps'

/** One model as the steps of its build have it. */
export interface BuildRun {
  readonly id: SharedModelId
  readonly model: SharedModel
  readonly owner: TenantScope
  /** When this step began, Unix milliseconds. */
  readonly stepStartedAt: number
}

type Do = (operation: Operation<SharedModelTask>) => Promise<StepOutcome>

/** A step of a build: only while it is one, and as long as everybody consents whose examples are in it. */
export const onBuild =
  (deps: SharedModelDeps, work: (run: BuildRun) => Promise<StepOutcome>): Do =>
  async ({ operationId, tenantId, stepStartedAt }) => {
    const id = idOf(operationId)
    const model = await deps.models.get(id)
    if (model?.state.kind !== 'building') return done()
    if (model.affected) return objected
    return work({ id, model, owner: TenantScope.ofPlatform(tenantId), stepStartedAt })
  }

/** What is undone of a build that failed; its record is there until the last. */
export const undoOf =
  (
    deps: Pick<SharedModelDeps, 'models'>,
    work: (run: Omit<BuildRun, 'stepStartedAt'>) => ReturnType<NonNullable<SharedModelStep['undo']>>,
  ): NonNullable<SharedModelStep['undo']> =>
  async ({ operationId, tenantId }) => {
    const id = idOf(operationId)
    const model = await deps.models.get(id)
    return model && work({ id, model, owner: TenantScope.ofPlatform(tenantId) })
  }

/** Asks each contributor's ledger anew (S3). Who does not consent any more is on record with the model then. */
export async function allConsent(deps: SharedModelDeps, { id, model }: BuildRun): Promise<boolean> {
  for (const contributor of model.contributors) {
    const { tenantId, part } = contributor
    // Whose examples were all left out has nothing in it.
    if (model.merged && !part) continue
    const scope = tenantId && TenantScope.ofPlatform(tenantId)
    const entry = scope && (await deps.consents.current(scope, model.order.purposeId))
    if (stillConsents(contributor, entry)) continue
    await affect(deps, id, tenantId)
    return false
  }
  return true
}

/** Another build begins without whoever objected, once this one is undone. */
export const objected: StepOutcome = {
  kind: 'failed',
  problem: new Problem('consent_withdrawn', 'A tenant withdrew its consent while the model was built.'),
}

function idOf(operationId: string): SharedModelId {
  const id = parseSharedModelId(operationId)
  assert(id, 'a build runs under its model’s id')
  return id
}
