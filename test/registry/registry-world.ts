import type { BackendId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { dataKeyStorage } from '../../src/encryption/tenant-keys'
import type { BackendFigures } from '../../src/registry/judge-route'
import { createPromotions, type PromotionsDeps } from '../../src/registry/promotions'
import { createRegistry } from '../../src/registry/registry'
import type { Backend } from '../../src/routing/backend'
import { placeStorage } from '../../src/storage/places'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantStorage } from '../../src/tenants/tenants'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { tenantInput } from '../harness/tenant-input'
import { tenantParts } from '../harness/tenant-parts'
import { silentLog } from '../metering/read-all'
import { TUNED_MODEL, tunedVersion } from './tuned-version'

/** Tenants, their aliases and their tuned models, on Azurite; the clock is moved by hand, and the figures of calls are the test's. */
export async function registryWorld() {
  const storage = freshStorage()
  for (const needs of [tenantStorage, dataKeyStorage, placeStorage]) await storage.ensure(needs)
  const clock = handClock()
  const { ids, keyring, records, tenants } = tenantParts({
    storage,
    clock,
    log: silentLog,
    knownBackends: async (wanted) => new Set(wanted),
  })
  const registry = createRegistry(records)
  const backends = new Map<BackendId, Pick<Backend, 'capacity'>>()
  let figures: readonly BackendFigures[] = []
  const deps: PromotionsDeps = {
    records,
    registry,
    tenants,
    backendOf: async (id) => ({ capacity: 'payg', ...backends.get(id) }) as Backend,
    figuresOf: async () => figures,
    clock,
  }

  return {
    storage,
    records,
    clock,
    ids,
    registry,
    tenants,
    deps,
    backends,
    promotions: createPromotions(deps),
    /** What calls of the present step come to from now on. */
    say: (said: readonly BackendFigures[]) => void (figures = said),
    /** A tenant with the alias `chat`, led to a backend of the platform's. */
    newTenant: async (model = TUNED_MODEL) => {
      const scope = TenantScope.ofPlatform(ids.tenantId())
      await keyring.create(scope)
      const base = ids.backendId()
      const aliases = [{ name: 'chat', model, groups: [{ members: [{ backendId: base, weight: 1 }] }] }]
      const made = await tenants.register(scope.tenantId, tenantInput({ aliases }))
      if (made instanceof Problem) throw new Error(made.public)
      return { scope, base }
    },
    /** A version that is deployed. */
    newModel: async (scope: TenantScope) => {
      const backendId = ids.backendId()
      const accountId = '/subscriptions/0/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a'
      const version = tunedVersion(
        { ids, nowMs: clock.now() },
        {
          upstream: {
            model: 'upstream',
            accountId,
            account: {
              endpoint: 'https://a.example',
              api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
              credential: { kind: 'identity' },
            },
            region: 'swedencentral',
          },
          deployment: {
            kind: 'deployed',
            plan: { accountId, name: 'tuned', sku: 'Standard', capacity: 1, backendId },
            sinceMs: clock.now(),
          },
        },
      )
      await registry.register(scope, version)
      return { id: version.id, jobId: version.lineage.jobId, backendId }
    },
    groupsOf: async (scope: TenantScope) => (await tenants.get(scope))?.aliases[0]?.groups,
  }
}
