import { systemClock } from '../../src/base/clock'
import type { TenantId } from '../../src/base/ids'
import { retainedOf, withoutTenants } from '../../src/offboarding/tenant-stores'
import type { StorageNames } from '../../src/offboarding/tenant-store'
import type { NewBackend } from '../../src/routing/backends'
import { allStorageNeeds } from '../../src/storage-needs'
import { ownPlaceOf } from '../../src/storage/places'
import { TenantScope } from '../../src/storage/tenant-scope'
import { validationLimitsId } from '../../src/tenants/canary'
import { freshStorage } from '../harness/storage'
import { lifecycleParts } from './lifecycle-parts'

const storage = freshStorage()
const { ids, backends, places, stores, sweep, turns } = lifecycleParts(storage, systemClock)
const all = [...stores.data, stores.dataKey, stores.record]
const anExport = { blob: '', bytes: 0, sha256: '', until: 0, wrappedBy: '' }
const retained = retainedOf({ export: anExport })

const namesIn = (kind: keyof StorageNames, holds: readonly StorageNames[]) =>
  holds.flatMap((names) => names[kind] ?? [])
const aBackend: NewBackend = {
  name: 'a backend',
  api: { kind: 'openai-compatible' },
  endpoint: 'http://localhost:1',
  deployment: 'a-model',
  credential: { kind: 'none' },
  region: 'local',
  capacity: 'payg',
  enabled: true,
}
const validationRow = (tenantId: TenantId) =>
  storage.table('limits').createEntity({ partitionKey: validationLimitsId(tenantId), rowKey: 'window' })
/** Their rows are the platform's own: what is a tenant's of them is told by the row. */
const ofThePlatform = ['tenantdirectory', 'backends', 'openresponses', 'slaindex']
const removed = all.map(({ holds }) => holds)
const kept = retained.map(({ holds }) => holds)

beforeAll(() => storage.ensure(allStorageNeeds), 30_000)

/** One in the background that no row knows any more: of a tenant, in the platform's partition. */
async function openResponse(tenantId: TenantId): Promise<void> {
  const id = ids.responseId()
  const json0 = JSON.stringify({ tenantId, id })
  await storage.table('openresponses').createEntity({ partitionKey: 'platform', rowKey: `${tenantId}-${id}`, json0 })
}

describe('the registry of what tenants have', () => {
  // A slice that keeps something new is caught here: it has to be entered in src/offboarding/tenant-stores.ts.
  it.each(['tables', 'containers'] as const)('names each of the %s that the app makes once, and no others', (kind) => {
    expect(namesIn(kind, [...removed, ...kept, withoutTenants]).sort()).toEqual(
      [...new Set(allStorageNeeds[kind])].sort(),
    )
  })

  it('removes what it says, in every table and container, shared or the tenant’s own, and nothing of another tenant', async () => {
    const [scope, other] = [ids.tenantId(), ids.tenantId()].map((tenantId) => TenantScope.ofPlatform(tenantId))
    if (!scope || !other) throw new Error('two tenants are needed')
    await backends.create(ids.backendId(), aBackend)
    for (const each of [scope, other]) {
      for (const name of namesIn('tables', removed).filter((name) => !ofThePlatform.includes(name)))
        await storage.table(name).createEntity({ partitionKey: each.tenantId, rowKey: 'v000001' })
      await storage.table('tenantdirectory').createEntity({ partitionKey: 'platform', rowKey: each.tenantId })
      await openResponse(each.tenantId)
      await storage.table('slaindex').createEntity({ partitionKey: 'platform', rowKey: `${each.tenantId}-watched` })
      await turns.take('an-account', {
        jobId: ids.tuningJobId(),
        tenantId: each.tenantId,
        tokens: 1,
        weight: 1,
        againMs: systemClock.now(),
      })
      await backends.create(ids.backendId(), { ...aBackend, ownerTenantId: each.tenantId })
      for (const name of namesIn('containers', removed))
        await storage.container(name).uploadBlockBlob(`${each.tenantId}/thing`, 'x', 1)
      await places.prepare(each, ownPlaceOf(each))
      await validationRow(each.tenantId)
    }
    const before = await sweep(scope, retained)
    expect(before.left).toContain('table limits (2 rows)')
    const own = ownPlaceOf(scope)
    if (own.kind !== 'container') throw new Error('a place of its own is a container')
    for (const name of [...namesIn('tables', removed).filter((name) => name !== 'backends'), `content${own.suffix}`])
      expect(before.left).toContainEqual(expect.stringMatching(new RegExp(`^table ${name} `)))
    for (const name of [...namesIn('containers', removed), `tenant-content-${own.suffix}`])
      expect(before.left).toContainEqual(expect.stringMatching(new RegExp(`^container ${name} `)))
    const othersBefore = (await sweep(other, retained)).left
    expect(await Promise.all(all.map(({ census }) => census(scope)))).not.toContain(0)

    for (const { remove } of all) await remove(scope)

    expect((await sweep(scope, retained)).left).toEqual([])
    expect(await Promise.all(all.map(({ census }) => census(scope)))).toEqual(all.map(() => 0))
    expect((await sweep(other, retained)).left).toEqual(othersBefore)
    const owners = (await backends.list()).map(({ backend }) => backend.ownerTenantId)
    expect(owners).toEqual([undefined, other.tenantId])
    // A repeated step finds nothing and minds nothing.
    for (const { remove } of all) await remove(scope)
  })
})

describe('the sweep', () => {
  it('finds the limits that a tenant’s validation was given beside its own', async () => {
    const scope = TenantScope.ofPlatform(ids.tenantId())
    await validationRow(scope.tenantId)
    expect((await sweep(scope, retained)).left).toEqual(['table limits (1 rows)'])
  })

  it('finds what lies where no part of the platform keeps anything', async () => {
    const scope = TenantScope.ofPlatform(ids.tenantId())
    await storage.ensure({ tables: ['strays'], containers: ['strays'] })
    expect((await sweep(scope, retained)).left).toEqual([])
    await storage.table('strays').createEntity({ partitionKey: scope.tenantId, rowKey: 'a' })
    await storage.table('strays').createEntity({ partitionKey: 'platform', rowKey: `${scope.tenantId}~b` })
    await storage.container('strays').uploadBlockBlob(`${scope.tenantId}/c`, 'x', 1)
    expect((await sweep(scope, retained)).left).toEqual(['table strays (2 rows)', 'container strays (1 blobs)'])
  })

  it('looks into the exports of a tenant whose export is not to stay', async () => {
    const scope = TenantScope.ofPlatform(ids.tenantId())
    await storage.container('exports').uploadBlockBlob(`${scope.tenantId}/d`, 'x', 1)
    expect((await sweep(scope, retainedOf({ export: undefined }))).left).toEqual(['container exports (1 blobs)'])
    expect((await sweep(scope, retained)).left).toEqual([])
  })
})
