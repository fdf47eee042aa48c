import { done, type ChecklistStep } from '../../checklists/checklist'
import { ownPlaceOf } from '../../storage/places'
import type { DataPlace } from '../../storage/tenant-data'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

type Deps = Pick<OnboardingDeps, 'places'>

/** The tenant's place by its level of data isolation. An account of its own takes its time to be made. */
export const storageStep = (deps: Deps): ChecklistStep<OnboardingInput> => ({
  id: 'storage',
  timeoutMs: 900_000,
  attemptsMax: 10,
  do: async ({ tenantId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const place: DataPlace = input.tenant.isolation.data === 'logical' ? { kind: 'logical' } : ownPlaceOf(scope)
    await deps.places.prepare(scope, place)
    await deps.places.set(scope, place)
    return done({ dataIn: place.kind })
  },
  undo: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const place = await deps.places.get(scope)
    await deps.places.empty(scope, place)
    await deps.places.forget(scope)
  },
})
