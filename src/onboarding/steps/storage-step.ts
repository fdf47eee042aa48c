import { done, type ChecklistStep } from '../../checklists/checklist'
import { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'
import type { OnboardingInput } from '../onboarding-input'

/** The tenant's place by its level of data isolation. An account of its own takes its time to be made. */
export const storageStep = ({
  places,
  dataPlaces,
}: Pick<OnboardingDeps, 'places' | 'dataPlaces'>): ChecklistStep<OnboardingInput> => ({
  id: 'storage',
  timeoutMs: 900_000,
  attemptsMax: 10,
  do: async ({ tenantId, input }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const wanted = { record: input.tenant, generation: '' } as const
    const ensured = await dataPlaces.ensure(scope, input.tenant.isolation.data, wanted)
    if (ensured.kind !== 'ready') return ensured
    await places.set(scope, ensured.place)
    return done({ dataIn: ensured.place.kind })
  },
  undo: async ({ tenantId }) => {
    const scope = TenantScope.ofPlatform(tenantId)
    const released = await dataPlaces.releaseAll(scope)
    if (released.kind === 'not-yet') return released
    await places.forget(scope)
    return done()
  },
})
