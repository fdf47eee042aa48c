import type { Orchestrations } from '../../src/base/durable-steps'
import { Problem } from '../../src/base/problem'
import type { ChecklistInput } from '../../src/checklists/run-checklist'
import type { NewKey } from '../../src/access/keys'
import { keyRotationName } from '../../src/key-rotation/key-rotation-checklist'
import type { OnboardingInput } from '../../src/onboarding/onboarding-input'
import { firstKeyId } from '../../src/onboarding/steps/access-step'
import { TenantScope } from '../../src/storage/tenant-scope'
import type { wireControlPlane } from './wire-control-plane'

/**
 * The steps of an onboarding that the tests of the control plane need, done within the request: there is no host here that
 * could run an orchestration. The real one is tested over a real host in test/onboarding.
 */
export function onboardAtOnce({ tenants, keys }: Pick<ReturnType<typeof wireControlPlane>, 'tenants' | 'keys'>) {
  const firstKeys = new Map<string, NewKey>()
  const orchestrations: Orchestrations = {
    start: async (name, instanceId, started) => {
      // Of no tenant: what it does is tested in test/key-rotation.
      if (name === keyRotationName) return
      if (firstKeys.has(instanceId)) return
      const { tenantId, input } = started as ChecklistInput
      const scope = TenantScope.ofPlatform(tenantId)
      orThrow(await tenants.register(tenantId, (input as OnboardingInput).tenant))
      const key = await keys.create(scope, firstKeyId(tenantId), { name: 'first key', scopes: ['inference', 'admin'] })
      firstKeys.set(instanceId, orThrow(key))
      orThrow(await tenants.transition(scope, 'activate'))
    },
    status: async () => undefined,
    purge: async () => {},
    running: async () => [],
    ended: async () => [],
    raise: async () => {},
  }
  return { orchestrations, firstKeys: firstKeys as ReadonlyMap<string, NewKey> }
}

function orThrow<T>(result: T | Problem): T {
  if (result instanceof Problem) throw new Error(result.public)
  return result
}
