import { Problem } from '../base/problem'
import { done, type Checklist } from '../checklists/checklist'
import { TenantScope } from '../storage/tenant-scope'
import { catchUpStep, copyStep, emptyStep, prepareStep } from './data-steps'
import { drainStep, makeModelsStep, removeOldModelsStep, switchModelsStep } from './models-steps'
import { bounds, movingName, type MovingDeps, type MovingInput, type Step } from './moving-input'

/**
 * Moves a tenant to other levels of isolation or to another stamp while it is in use. What it is to have is made beside what
 * it has, and everything that is likely to fail comes before the first switch. Calls of models end where they began and
 * are metered where they were served. Reads of its data never wait; writes wait for the seconds of the catch-up.
 */
export const movingChecklist = (deps: MovingDeps): Checklist<MovingInput> => ({
  name: movingName,
  onFailure: 'undo',
  steps: [
    prepareStep(deps),
    makeModelsStep(deps),
    copyStep(deps),
    switchModelsStep(deps),
    catchUpStep(deps),
    recordStep(deps),
    drainStep(deps),
    removeOldModelsStep(deps),
    emptyStep(deps),
  ],
})

const recordStep = ({ tenants, audit }: MovingDeps): Step => ({
  id: 'record',
  ...bounds,
  do: async ({ tenantId, operationId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const moved = input.data ? await tenants.setDataIsolation(scope, input.data) : await tenants.get(scope)
    if (!moved) return { kind: 'failed', problem: new Problem('not_found', 'The tenant’s record is gone.') }
    if (moved instanceof Problem) return { kind: 'failed', problem: moved }
    await audit.append(scope, {
      actor: { kind: 'orchestration', id: operationId },
      action: 'moving.switch',
      target: tenantId,
      outcome: 'done',
      requestId: operationId,
      details: { ...moved.isolation, ...(input.stampId ? { stampId: input.stampId } : {}) },
    })
    return done()
  },
})
