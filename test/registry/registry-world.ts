import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemChance } from '../../src/base/chance'
import { createIdMaker, type BackendId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { createSealer } from '../../src/encryption/create-sealer'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createSealedRecords } from '../../src/encryption/sealed-records'
import { createTenantKeys, dataKeyStorage } from '../../src/encryption/tenant-keys'
import type { BackendFigures } from '../../src/registry/judge-route'
import { modelIdOf, tunedModelName } from '../../src/registry/model-version'
import { createPromotions, type PromotionsDeps } from '../../src/registry/promotions'
import { createRegistry } from '../../src/registry/registry'
import type { Backend } from '../../src/routing/backend'
import { createPlaces, placeStorage } from '../../src/storage/places'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { createSnapshotStore } from '../../src/tenants/snapshot-store'
import { createTenantDirectory } from '../../src/tenants/tenant-directory'
import { createTenants, tenantStorage } from '../../src/tenants/tenants'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { silentLog } from '../metering/read-all'

const MODEL = 'gpt-4.1-mini'
const RELEASE = 'gpt-4.1-mini-2025-04-14'

/** Tenants, their aliases and their tuned models, on Azurite; the clock is moved by hand, and the figures of calls are the test's. */
export async function registryWorld() {
  const storage = freshStorage()
  for (const needs of [tenantStorage, dataKeyStorage, placeStorage]) await storage.ensure(needs)
  const clock = handClock()
  const chance = systemChance()
  const ids = createIdMaker({ clock, chance })
  const wrappingKey = keyFileWrappingKey(join(mkdtempSync(join(tmpdir(), 'tenantry-test-')), 'key.json'))
  const rows = tenantTable(storage.table('datakeys'))
  const keyring = createTenantKeys({ table: rows, wrappingKey, clock, chance, log: silentLog })
  const places = createPlaces({ storage, rows: tenantTable(storage.table('tenantplaces')), clock, log: silentLog })
  const records = createSealedRecords({ data: places, sealer: createSealer({ keys: keyring, chance }) })
  const registry = createRegistry(records)
  const tenants = createTenants({
    table: tenantTable(storage.table('tenants')),
    directory: createTenantDirectory(platformTable(storage.table('tenantdirectory'))),
    snapshots: createSnapshotStore(tenantTable(storage.table('tenants'))),
    clock,
    knownBackends: async (wanted) => new Set(wanted),
    onChange: () => {},
  })
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
    newTenant: async (model = MODEL) => {
      const scope = TenantScope.ofPlatform(ids.tenantId())
      await keyring.create(scope)
      const base = ids.backendId()
      const made = await tenants.register(scope.tenantId, {
        displayName: 'Tuned',
        contact: { email: 'a@b.example' },
        tier: 'premium',
        region: 'swedencentral',
        residency: [],
        isolation: { models: 'shared', data: 'logical' },
        aliases: [{ name: 'chat', model, groups: [{ members: [{ backendId: base, weight: 1 }] }] }],
        limitOverrides: {},
        settings: {},
      })
      if (made instanceof Problem) throw new Error(made.public)
      return { scope, base }
    },
    /** A version that is deployed. */
    newModel: async (scope: TenantScope) => {
      const jobId = ids.tuningJobId()
      const id = modelIdOf(jobId)
      const backendId = ids.backendId()
      const nowMs = clock.now()
      const account = '/subscriptions/0/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a'
      await registry.register(scope, {
        id,
        name: tunedModelName(id, { baseModel: RELEASE, suffix: undefined }),
        family: MODEL,
        registeredAt: nowMs,
        lineage: {
          jobId,
          baseModel: RELEASE,
          method: 'supervised',
          trainingType: 'standard',
          hyperparameters: {},
          training: { fileId: ids.fileId(), contentHash: 'sha256:00', examples: 10 },
          by: ids.keyId(),
          consentAt: nowMs,
        },
        training: { finishedAt: nowMs, metrics: {} },
        upstream: {
          model: 'upstream',
          accountId: account,
          account: {
            endpoint: 'https://a.example',
            api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
            credential: { kind: 'identity' },
          },
          region: 'swedencentral',
        },
        deployment: {
          kind: 'deployed',
          plan: { accountId: account, name: 'tuned', sku: 'Standard', capacity: 1, backendId },
          sinceMs: nowMs,
        },
      })
      return { id, jobId, backendId }
    },
    groupsOf: async (scope: TenantScope) => (await tenants.get(scope))?.aliases[0]?.groups,
  }
}
