import type { GetTokenOptions } from '@azure/core-auth'
import { createArm } from '../../src/azure/arm-client'
import { createBackendCredentials } from '../../src/azure/backend-credentials'
import { TokenRefusedError } from '../../src/azure/oauth-tokens'
import type { SecretStore } from '../../src/azure/secret-store'
import { createSmallHttp } from '../../src/azure/small-http'
import { createUpstreamHttp } from '../../src/azure/upstream-http'
import { systemChance } from '../../src/base/chance'
import { createIdMaker } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { done, type StepOutcome } from '../../src/checklists/checklist'
import { createTenantStorageAccounts } from '../../src/provisioning/storage-account'
import { createTenantModels } from '../../src/provisioning/tenant-models'
import { backendStorage, createBackends } from '../../src/routing/backends'
import { stampInput } from '../../src/stamps/stamp-input'
import { createStamps, stampStorage } from '../../src/stamps/stamps'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { createSnapshotStore } from '../../src/tenants/snapshot-store'
import { createTenantDirectory } from '../../src/tenants/tenant-directory'
import { tenantInput } from '../../src/tenants/tenant-input'
import { createTenants, tenantStorage } from '../../src/tenants/tenants'
import { tokenWith } from '../azure/json-server'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'

export const GROUP = '/subscriptions/aaaaaaaa-0000-4000-8000-00000000000a/resourceGroups/sweden'
export const sharedAccount = (name: string) => `${GROUP}/providers/Microsoft.CognitiveServices/accounts/${name}`
export const deployment = { modelVersion: '2025-04-14', capacity: 10 }
const STEPS_MAX = 60

/** The parts of the app that provisioning works with, on real storage, against an ARM of the test's. */
export async function provisioningPlatform(armUrl: string, { usesKeys = false } = {}) {
  const storage = freshStorage()
  await storage.ensure({ tables: [...tenantStorage.tables, ...backendStorage.tables, ...stampStorage.tables] })
  const clock = handClock()
  const ids = createIdMaker({ clock, chance: systemChance() })
  const http = createSmallHttp()
  const upstream = createUpstreamHttp()
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const refusedDirectories = new Map<string, string>()
  const identity = {
    getToken: async (_: string | string[], options?: GetTokenOptions) => {
      const refusal = refusedDirectories.get(options?.tenantId ?? '')
      if (refusal !== undefined) throw new TokenRefusedError(refusal, 'about it')
      const token = tokenWith({ oid: 'bbbbbbbb-0000-4000-8000-00000000000b' })
      return { token, expiresOnTimestamp: clock.now() + 3_600_000 }
    },
  }
  const kept = new Map<string, string>()
  const keyOf = ({ tenantId }: TenantScope, name: string) => `${tenantId}/${name}`
  const namesOf = async ({ tenantId }: TenantScope) =>
    [...kept.keys()].flatMap((key) => (key.startsWith(tenantId) ? [key.slice(31)] : []))
  const secrets: SecretStore = {
    put: async (scope, name, value) => void kept.set(keyOf(scope, name), value),
    get: async (scope, name) => kept.get(keyOf(scope, name)),
    remove: async (scope, name) => void kept.delete(keyOf(scope, name)),
    list: namesOf,
    remains: namesOf,
  }
  const backends = createBackends({ table: platformTable(storage.table('backends')), clock, log })
  const rows = tenantTable(storage.table('tenants'))
  const stamps = createStamps(platformTable(storage.table('stamps')))
  const tenants = createTenants({
    table: rows,
    directory: createTenantDirectory(platformTable(storage.table('tenantdirectory'))),
    snapshots: createSnapshotStore(rows),
    clock,
    knownBackends: backends.known,
    onChange: () => {},
  })
  const arm = createArm({ url: armUrl, audience: armUrl, identity, http })
  const credentials = createBackendCredentials({ settings: {}, identity, secrets, clock })
  const models = createTenantModels({ arm, rows, stamps, backends, secrets, identity, upstream, credentials })
  const accounts = createTenantStorageAccounts({ arm, rows, stamps, backends, usesKeys })

  const makeTenant = async (more: object) => {
    const input = tenantInput.parse({
      displayName: 'Contoso',
      contact: { email: 'ops@contoso.example' },
      region: 'swedencentral',
      ...more,
    })
    const record = await tenants.register(ids.tenantId(), input)
    if (record instanceof Problem) throw new Error(record.public)
    return { record, scope: TenantScope.ofPlatform(record.tenantId) }
  }
  const makeStamp = async (accountNames: readonly string[], more: object = {}) => {
    const modelAccountIds = accountNames.map(sharedAccount)
    const body = { name: 'sweden', region: 'swedencentral', resourceGroupId: GROUP, modelAccountIds, ...more }
    return stamps.create(ids.stampId(), stampInput.parse(body))
  }
  const parts = {
    arm,
    storage,
    clock,
    backends,
    tenants,
    stamps,
    secrets,
    models,
    accounts,
    refusedDirectories,
    makeTenant,
    makeStamp,
  }
  return {
    ...parts,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([http.close(), upstream.close()])
    },
  }
}

export type ProvisioningPlatform = Awaited<ReturnType<typeof provisioningPlatform>>
type Tenant = Awaited<ReturnType<ProvisioningPlatform['makeTenant']>>

/** What the step of an onboarding does: asks again until there is an end, and then leads the aliases there. */
export async function ensureAll(
  { models, tenants }: ProvisioningPlatform,
  { scope, record }: Tenant,
): Promise<StepOutcome> {
  for (let step = 0; step < STEPS_MAX; step++) {
    const ensured = await models.ensure(scope, { record, generation: '' })
    if (ensured.kind === 'not-yet') continue
    if (ensured.kind === 'failed') return ensured
    const routed = await tenants.setRoutes(scope, ensured.routes)
    return routed instanceof Problem ? { kind: 'failed', problem: routed } : done()
  }
  throw new Error('the models were never done')
}

export async function removeAll(
  remove: (scope: TenantScope) => Promise<{ kind: string }>,
  { scope }: Tenant,
): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step++) if ((await remove(scope)).kind === 'removed') return
  throw new Error('the removal was never done')
}
