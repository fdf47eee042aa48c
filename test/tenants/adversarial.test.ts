import { systemChance } from '../../src/base/chance'
import { createIdMaker, type BackendId, type TenantId } from '../../src/base/ids'
import { createLog } from '../../src/base/log'
import { Problem } from '../../src/base/problem'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { activeTenant } from '../../src/tenants/active-tenant'
import { compileSnapshot } from '../../src/tenants/compile-snapshot'
import { createSnapshotStore, type SnapshotStore } from '../../src/tenants/snapshot-store'
import { createTenantDirectory } from '../../src/tenants/tenant-directory'
import { tenantInput } from '../../src/tenants/tenant-input'
import type { TenantRecord } from '../../src/tenants/tenant-record'
import { createTenantSnapshots } from '../../src/tenants/tenant-snapshots'
import { createTenants, tenantStorage } from '../../src/tenants/tenants'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { watchTraffic } from '../harness/traffic'

/** Tenants on real tables, with a snapshot store that the test can break, and a second instance that only reads. */
async function platform(knownBackends: ReadonlySet<BackendId> = new Set()) {
  const clock = handClock()
  const storage = freshStorage()
  await storage.ensure(tenantStorage)
  const table = tenantTable(storage.table('tenants'))
  const directory = createTenantDirectory(platformTable(storage.table('tenantdirectory')))
  const stored = createSnapshotStore(table)
  let write: SnapshotStore['write'] = (scope, snapshot) => stored.write(scope, snapshot)
  const tenants = createTenants({
    table,
    directory,
    snapshots: { ...stored, write: (scope, snapshot) => write(scope, snapshot) },
    clock,
    knownBackends: async () => knownBackends,
    onChange: () => {},
  })
  const elsewhere = createTenantSnapshots({
    store: stored,
    clock,
    log: createLog(
      () => {},
      () => clock.now(),
    ),
  })
  const ids = createIdMaker({ clock, chance: systemChance() })
  return {
    clock,
    tenants,
    directory,
    stored,
    elsewhere,
    ids,
    breakWrites: (broken: SnapshotStore['write'] | undefined) =>
      (write = broken ?? ((scope, snapshot) => stored.write(scope, snapshot))),
  }
}

const input = (change: object = {}) =>
  tenantInput.parse({ displayName: 'A', contact: { email: 'a@a.example' }, region: 'westeurope', ...change })
const scopeOf = (tenantId: TenantId) => TenantScope.ofPlatform(tenantId)
const always = () => true

function made(record: TenantRecord | Problem): TenantRecord {
  if (record instanceof Problem) throw new Error(`${record.code}: ${record.public}`)
  return record
}

async function activeOne({ tenants, ids }: Awaited<ReturnType<typeof platform>>, change: object = {}) {
  const tenantId = ids.tenantId()
  made(await tenants.register(tenantId, input(change)))
  return made(await tenants.transition(scopeOf(tenantId), 'activate'))
}

describe('what the data path sees of a tenant', () => {
  it('is nothing until the snapshot is written, whatever else is there', async () => {
    const { tenants, elsewhere, ids } = await platform()
    const tenantId = ids.tenantId()
    made(await tenants.register(tenantId, input()))
    made(await tenants.patch(scopeOf(tenantId), { displayName: 'B' }, always))
    expect(await elsewhere.get(tenantId)).toBeUndefined()
    expect(activeTenant(await elsewhere.get(tenantId))).toMatchObject({ code: 'tenant_not_active' })

    elsewhere.forget(tenantId)
    made(await tenants.transition(scopeOf(tenantId), 'activate'))
    expect(await elsewhere.get(tenantId)).toMatchObject({ state: 'active', displayName: 'B' })
  })

  it('is the old tenant when the platform dies between record and snapshot, until the change is asked for again', async () => {
    const world = await platform()
    const { tenantId } = await activeOne(world)
    world.breakWrites(async () => Promise.reject(new Error('the process died here')))
    await expect(world.tenants.transition(scopeOf(tenantId), 'suspend')).rejects.toThrow('died')
    expect(await world.tenants.get(scopeOf(tenantId))).toMatchObject({ state: 'suspended' })
    expect(await world.stored.read(tenantId)).toMatchObject({ state: 'active' })

    world.breakWrites(undefined)
    made(await world.tenants.transition(scopeOf(tenantId), 'suspend'))
    expect(await world.stored.read(tenantId)).toMatchObject({ state: 'suspended' })
  })

  it('is never turned back by an older change that is written late', async () => {
    const world = await platform()
    const first = await activeOne(world)
    const scope = scopeOf(first.tenantId)
    const second = made(await world.tenants.patch(scope, { displayName: 'second' }, always))
    await world.stored.write(scope, compileSnapshot(first))
    expect(await world.stored.read(first.tenantId)).toMatchObject({ version: second.version, displayName: 'second' })
  })

  it('is the newest of many changes at once', async () => {
    const world = await platform()
    const { tenantId } = await activeOne(world)
    const scope = scopeOf(tenantId)
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, i) => world.tenants.patch(scope, { displayName: `name ${i}` }, always)),
    )
    const newest = results
      .filter((result): result is TenantRecord => !(result instanceof Problem))
      .sort((a, b) => b.version - a.version)[0]
    expect(await world.tenants.get(scope)).toMatchObject({ version: newest?.version })
    expect(await world.stored.read(tenantId)).toMatchObject({ displayName: newest?.displayName })
  })

  it('shows a suspension to every instance within 30 s, however busy the tenant is', async () => {
    const world = await platform()
    const { tenantId } = await activeOne(world)
    await world.elsewhere.get(tenantId)
    made(await world.tenants.transition(scopeOf(tenantId), 'suspend'))
    const traffic = watchTraffic()
    let seenAfterMs = Infinity
    for (let waitedMs = 0; waitedMs <= 30_000; waitedMs += 1_000) {
      const snapshot = await world.elsewhere.get(tenantId)
      if (snapshot?.state === 'suspended') seenAfterMs = Math.min(seenAfterMs, waitedMs)
      // What was begun in the background has been read.
      await traffic.rest()
      await world.clock.advance(1_000)
    }
    traffic.stop()
    expect(seenAfterMs).toBeLessThanOrEqual(30_000)
  })

  it('is read at once and without a wait for a tenant in use', async () => {
    const world = await platform()
    const { tenantId } = await activeOne(world)
    await world.elsewhere.get(tenantId)
    expect(world.elsewhere.get(tenantId)).toMatchObject({ tenantId })
  })

  it('has no alias that the tenant did not name, even one that every object inherits', async () => {
    const world = await platform()
    const { tenantId } = await activeOne(world)
    const snapshot = await world.elsewhere.get(tenantId)
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
      expect(snapshot?.aliases[name]).toBeUndefined()
  })

  it('comes back whole where it is larger than one property of a row', async () => {
    const backendIds = Array.from({ length: 8 }, (_, i): BackendId => `bke_${String(i).padStart(26, '0')}`)
    const world = await platform(new Set(backendIds))
    const members = backendIds.map((backendId) => ({ backendId }))
    const aliases = Array.from({ length: 100 }, (_, i) => ({
      name: `alias-${i}`,
      model: 'gpt-4.1',
      groups: Array.from({ length: 4 }, () => ({ members })),
    }))
    const record = await activeOne(world, { tier: 'premium', aliases })
    expect(JSON.stringify(record).length).toBeGreaterThan(100_000)
    const snapshot = await world.stored.read(record.tenantId)
    expect(Object.keys(snapshot?.aliases ?? {})).toHaveLength(100)
    expect(snapshot?.aliases['alias-99']?.groups).toHaveLength(4)
  })
})

describe('a tenant’s record', () => {
  it('is made once, however often its registration is repeated', async () => {
    const world = await platform()
    const { tenantId } = await activeOne(world)
    const again = made(await world.tenants.register(tenantId, input({ displayName: 'another' })))
    expect(again).toMatchObject({ state: 'active', displayName: 'A' })
  })

  it('can be changed and suspended even where a backend it names is gone', async () => {
    const backendId: BackendId = 'bke_00000000000000000000000001'
    const existing = new Set([backendId])
    const world = await platform(existing)
    const aliases = [{ name: 'a', model: 'gpt-4o', groups: [{ members: [{ backendId }] }] }]
    const { tenantId } = await activeOne(world, { aliases })
    existing.clear()
    const { tenants } = world
    expect(await tenants.patch(scopeOf(tenantId), { displayName: 'B' }, always)).toMatchObject({ displayName: 'B' })
    expect(await tenants.transition(scopeOf(tenantId), 'suspend')).toMatchObject({ state: 'suspended' })
  })

  it('appears in no list where its making broke off before the record was there', async () => {
    const world = await platform()
    await world.directory.add(world.ids.tenantId())
    const whole = await activeOne(world)
    const { tenants } = await world.tenants.list({ limit: 10 })
    expect(tenants.map(({ tenantId }) => tenantId)).toEqual([whole.tenantId])
  })
})
