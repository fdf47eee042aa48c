import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuditLog } from '../../src/audit/create-audit-log'
import { auditStorage } from '../../src/audit/chain-rows'
import { systemChance } from '../../src/base/chance'
import { systemClock, type Clock } from '../../src/base/clock'
import { createIdMaker } from '../../src/base/ids'
import { createLog } from '../../src/base/log'
import { ProblemError } from '../../src/base/problem'
import type { Checklist } from '../../src/checklists/checklist'
import { runChecklist } from '../../src/checklists/run-checklist'
import { createRunStep, planOf, type StepRequest } from '../../src/checklists/run-step'
import { createSealer } from '../../src/encryption/create-sealer'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createSealedRecords } from '../../src/encryption/sealed-records'
import { createTenantKeys, dataKeyStorage } from '../../src/encryption/tenant-keys'
import { copyWhileWanted } from '../../src/moving/copy-while-wanted'
import { movingChecklist } from '../../src/moving/moving-checklist'
import type { MovingDeps } from '../../src/moving/moving-input'
import { createDataPlaces } from '../../src/provisioning/data-places'
import type { MadeAccount } from '../../src/provisioning/storage-account'
import { rotationChecklist } from '../../src/moving/rotation-checklist'
import { createPlaces, placeStorage, type Places } from '../../src/storage/places'
import { platformTable } from '../../src/storage/platform-table'
import { connectTenantAccounts } from '../../src/storage/tenant-accounts'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { createSnapshotStore } from '../../src/tenants/snapshot-store'
import { createTenantDirectory } from '../../src/tenants/tenant-directory'
import { createTenants, tenantStorage } from '../../src/tenants/tenants'
import { handRun } from '../checklists/hand-run'
import { freshStorage, tenantOwnStorage, testConnectionString } from '../harness/storage'
import { tenantInput } from '../harness/tenant-input'

const chance = systemChance()
const SPEED = 10
/** Faster than the wall's, so that the caches of other instances run out within a test. */
const startedAt = systemClock.now()
const clock: Clock = {
  now: () => startedAt + (systemClock.now() - startedAt) * SPEED,
  monotonicMs: () => systemClock.monotonicMs() * SPEED,
  after: (ms, work) => systemClock.after(ms / SPEED, work),
  sleep: (ms, signal) => systemClock.sleep(ms / SPEED, signal),
}
const ids = createIdMaker({ clock, chance })
const log = createLog(
  () => {},
  () => 0,
)
const storage = freshStorage()
beforeAll(async () => {
  for (const needs of [dataKeyStorage, placeStorage, tenantStorage, auditStorage]) await storage.ensure(needs)
})
const wrappingKey = keyFileWrappingKey(join(mkdtempSync(join(tmpdir(), 'tenantry-test-')), 'key.json'))

const own = tenantOwnStorage()
/** Azure, as far as these moves meet it: one account is there, and is emptied where Azure would delete it. */
const accountsOf = (places: Places) => ({
  ensure: async () => ({ kind: 'ready', account: own.account }) as const,
  remove: async (scope: TenantScope, which: (made: MadeAccount) => boolean) => {
    if (which({ generation: '', resourceId: own.account.resourceId }))
      await places.empty(scope, { kind: 'account', account: own.account })
    return { kind: 'removed' } as const
  },
  census: async () => 0,
  keyOf: async () => own.key,
})
const noModels = () => {
  throw new Error('these moves are of data only')
}
const models: MovingDeps['models'] = {
  ensure: noModels,
  removeUnused: noModels,
  settleOn: noModels,
  census: noModels,
}
const secrets: MovingDeps['secrets'] = { list: noModels, remove: noModels }
const large = { text: 'x'.repeat(100_000) }
const levels = ['logical', 'container', 'account'] as const

/** One app instance's view of tenants' data. */
function instance() {
  const places = createPlaces({
    storage,
    tenantAccount: connectTenantAccounts({
      platform: { kind: 'connection-string', connectionString: testConnectionString() },
      prefix: storage.prefix,
      keyOf: async () => own.key,
      clock,
      log,
    }),
    rows: tenantTable(storage.table('tenantplaces')),
    clock,
    log,
  })
  const keyring = createTenantKeys({ table: tenantTable(storage.table('datakeys')), wrappingKey, clock, chance, log })
  const records = createSealedRecords({ data: places, sealer: createSealer({ keys: keyring, chance }) })
  const rows = tenantTable(storage.table('tenants'))
  const tenants = createTenants({
    table: rows,
    directory: createTenantDirectory(platformTable(storage.table('tenantdirectory'))),
    snapshots: createSnapshotStore(rows),
    clock,
    knownBackends: async () => new Set(),
    onChange: () => {},
  })
  const audit = createAuditLog({
    tenantRows: tenantTable(storage.table('audit')),
    platformRows: platformTable(storage.table('audit')),
    clock,
    chance,
  })
  const dataPlaces = createDataPlaces(places, accountsOf(places))
  return { places, dataPlaces, models, secrets, drainMs: 0, keyring, records, tenants, audit, clock }
}

async function newTenant(parts = instance()) {
  const scope = TenantScope.ofPlatform(ids.tenantId())
  await parts.tenants.register(scope.tenantId, tenantInput({ tier: 'standard' }))
  await parts.keyring.create(scope)
  return scope
}

async function run<Input>(checklist: Checklist<Input>, scope: TenantScope, input: Input) {
  const instanceId = ids.operationId('mov')
  const runStep = createRunStep(checklist, { log, alert: async () => {} })
  const { output } = await handRun(
    (steps) => runChecklist(steps, planOf(checklist), { tenantId: scope.tenantId, input }),
    {
      instanceId,
      sleep: (ms) => clock.sleep(ms),
      activity: (_, request) =>
        runStep(request as StepRequest, {
          orchestrations: { purge: async () => {}, running: async () => [], ended: async () => [] },
        }),
    },
  )
  return output
}

describe('moving a tenant’s data', () => {
  it.each([
    ['logical', 'container'],
    ['container', 'logical'],
    ['container', 'account'],
    ['account', 'logical'],
  ] as const)('from %s to %s loses nothing that was written meanwhile, and no read ever fails', async (from, to) => {
    const parts = instance()
    const elsewhere = instance()
    const scope = await newTenant(parts)
    if (from !== 'logical') await run(movingChecklist(parts), scope, { data: from })
    const left = await parts.places.get(scope)
    expect(left.kind).toBe(from)
    for (let i = 0; i < 30; i++) await parts.records.put(scope, `old-${i}`, { i })
    await parts.records.put(scope, 'removed', {})
    await parts.records.put(scope, 'large', large)

    const during = { isDone: false }
    const acknowledged = new Map<string, number>()
    const writer = (async () => {
      for (let i = 0; !during.isDone; i++) {
        const id = `new-${i % 7}`
        try {
          await elsewhere.records.put(scope, id, { i })
          acknowledged.set(id, i)
        } catch (error) {
          // A catch-up that takes long on a busy machine may refuse, and says that waiting helps.
          if (!(error instanceof ProblemError) || error.problem.code !== 'tenant_moving') throw error
        }
      }
    })()
    const reader = (async () => {
      while (!during.isDone) {
        expect(await elsewhere.records.get(scope, 'old-7')).toMatchObject({ value: { i: 7 } })
        expect((await elsewhere.records.get(scope, 'large'))?.value).toEqual(large)
      }
    })()
    await parts.records.remove(scope, 'removed')
    const output = await run(movingChecklist(parts), scope, { data: to })
    during.isDone = true
    await Promise.all([writer, reader])

    expect(output.state).toBe('completed')
    const fresh = instance()
    for (let i = 0; i < 30; i++) expect((await fresh.records.get(scope, `old-${i}`))?.value).toEqual({ i })
    expect(acknowledged.size).toBeGreaterThan(0)
    for (const [id, i] of acknowledged) expect((await fresh.records.get(scope, id))?.value).toEqual({ i })
    expect(await fresh.records.get(scope, 'removed')).toBeUndefined()
    expect((await fresh.records.get(scope, 'large'))?.value).toEqual(large)
    expect(await fresh.places.census(scope, left)).toEqual({})
    expect((await fresh.tenants.get(scope))?.isolation.data).toBe(to)
  })

  it('is one at a time', async () => {
    const parts = instance()
    const scope = await newTenant(parts)
    const [one, other] = await Promise.all(
      ['mov_one', 'mov_other'].map((operationId) =>
        instance().places.beginMove(scope, { operationId, to: { kind: 'container', suffix: operationId } }),
      ),
    )
    expect([one, other].filter(Boolean)).toHaveLength(1)
    const output = await run(movingChecklist(parts), scope, { data: 'container' })
    expect(output).toMatchObject({ state: 'undone' })
    expect(output.steps[0]).toMatchObject({ id: 'prepare', error: { code: 'conflict' } })
    expect(await parts.places.get(scope)).toEqual({ kind: 'logical' })
  })

  it('to where it is already changes and deletes nothing', async () => {
    const parts = instance()
    const scope = await newTenant(parts)
    await parts.records.put(scope, 'kept', 1)
    expect(await run(movingChecklist(parts), scope, { data: 'logical' })).toMatchObject({ state: 'completed' })
    expect((await parts.records.get(scope, 'kept'))?.value).toBe(1)
    expect(await run(movingChecklist(parts), scope, { data: 'container' })).toMatchObject({ state: 'completed' })
  })

  it('that is switched takes no more of a copy that its host had given up for lost', async () => {
    const parts = instance()
    const scope = await newTenant(parts)
    await parts.records.put(scope, 'changed', 'before')
    const to = { kind: 'container', suffix: 'lost' } as const
    const move = await parts.places.beginMove(scope, { operationId: 'mov_lost', to })
    if (!move) throw new Error('nobody else moves this tenant')
    await parts.places.prepare(scope, to)
    let isSwitched = () => {}
    const switched = new Promise<void>((resolve) => (isSwitched = resolve))
    // The lost one has listed the old place and stands still before it writes.
    const slow: Places = {
      ...parts.places,
      move: async (...args) => {
        await switched
        return parts.places.move(...args)
      },
    }
    const lost = copyWhileWanted({ places: slow, clock }, scope, move)
    const failing = expect(lost).rejects.toThrow('has gone further')
    await copyWhileWanted(parts, scope, move)
    await parts.places.fence(scope, 'mov_lost', clock.now() + 60_000)
    await parts.places.switchOver(scope, 'mov_lost')
    await parts.records.put(scope, 'changed', 'after')
    isSwitched()
    await failing
    await parts.places.endMove(scope, 'mov_lost')
    expect((await parts.records.get(scope, 'changed'))?.value).toBe('after')
  })
})

describe('rotating a tenant’s data key', () => {
  it('seals everything with the new version, forgets the old one, and loses no write in between', async () => {
    const parts = instance()
    const scope = await newTenant(parts)
    for (let i = 0; i < 20; i++) await parts.records.put(scope, `record-${i}`, { i })
    await parts.records.put(scope, 'large', large)
    const during = { isDone: false }
    let last = -1
    const writer = (async () => {
      for (let i = 0; !during.isDone; i++) {
        await parts.records.put(scope, 'busy', { i })
        last = i
      }
    })()
    const output = await run(rotationChecklist(parts), scope, {})
    during.isDone = true
    await writer
    expect(output).toMatchObject({ state: 'completed', facts: { version: '2' } })
    expect(await parts.keyring.versions(scope)).toMatchObject([{ version: 2 }])
    const fresh = instance()
    for (let i = 0; i < 20; i++) expect((await fresh.records.get(scope, `record-${i}`))?.value).toEqual({ i })
    expect((await fresh.records.get(scope, 'large'))?.value).toEqual(large)
    expect((await fresh.records.get(scope, 'busy'))?.value).toEqual({ i: last })
  })

  it('twice at once, by two operators, loses nothing and leaves one version', async () => {
    const parts = instance()
    const scope = await newTenant(parts)
    for (let i = 0; i < 10; i++) await parts.records.put(scope, `record-${i}`, { i })
    const outputs = await Promise.all([parts, instance()].map((by) => run(rotationChecklist(by), scope, {})))
    expect(outputs.map(({ state }) => state)).toEqual(['completed', 'completed'])
    expect(await parts.keyring.versions(scope)).toMatchObject([{ version: 3 }])
    for (let i = 0; i < 10; i++) expect((await instance().records.get(scope, `record-${i}`))?.value).toEqual({ i })
  })

  it('of a tenant whose key is destroyed brings no key back', async () => {
    const parts = instance()
    const scope = await newTenant(parts)
    await parts.keyring.destroy(scope)
    expect(await run(rotationChecklist(parts), scope, {})).toMatchObject({
      state: 'failed',
      steps: [{ error: { code: 'conflict' } }, {}, {}],
    })
    expect(await parts.keyring.versions(scope)).toEqual([])
  })
})

describe.each(levels)('a tenant’s data in a place of the level %s', (data) => {
  async function twoTenants() {
    const parts = instance()
    const [a, b] = [await newTenant(parts), await newTenant(parts)]
    for (const scope of [a, b]) {
      const wanted = { record: { region: 'swedencentral', residency: [] }, generation: '' } as const
      const target = await parts.dataPlaces.ensure(scope, data, wanted)
      if (target.kind !== 'ready') throw new Error('the place is there')
      await parts.places.set(scope, target.place)
    }
    const of = async (scope: TenantScope) => parts.places.contents(scope, await parts.places.get(scope))
    return { parts, a, b, of }
  }

  it('does not open when its rows and blobs are copied under another tenant', async () => {
    const { parts, a, b, of } = await twoTenants()
    await parts.records.put(a, 'secret', { of: 'a' })
    await parts.records.put(a, 'large', large)
    const [ofA, ofB] = [await of(a), await of(b)]
    for (const id of ['secret', 'large']) {
      const stolen = await ofA.tables.content.get(id)
      await ofB.tables.content.put(id, stolen?.columns ?? {})
    }
    let blobs = 0
    for await (const { name } of ofA.containers.content.list('')) {
      await ofB.containers.content.put(name, (await ofA.containers.content.get(name)) ?? Buffer.alloc(0))
      blobs++
    }
    expect(blobs).toBe(1)
    for (const id of ['secret', 'large'])
      await expect(parts.records.get(b, id)).rejects.toMatchObject({ kind: 'does-not-open' })
    expect((await parts.records.get(a, 'secret'))?.value).toEqual({ of: 'a' })
  })

  it('is not there for another tenant, which neither reads, lists, changes, removes nor empties it', async () => {
    const { parts, a, b } = await twoTenants()
    await parts.records.put(a, 'secret', { of: 'a' })
    await parts.records.put(a, 'large', large)
    const tag = (await parts.records.get(a, 'secret'))?.etag ?? ''
    expect(await parts.records.get(b, 'secret')).toBeUndefined()
    expect(await Array.fromAsync(parts.records.ids(b, ''))).toEqual([])
    expect(await parts.records.replace(b, 'secret', 'of b', tag)).toEqual({ kind: 'lost-race' })
    await parts.records.remove(b, 'secret')
    // Of an account, nothing but one tenant's is in it.
    if (data !== 'account') await parts.places.empty(b, await parts.places.get(b))
    expect((await parts.records.get(a, 'secret'))?.value).toEqual({ of: 'a' })
    expect((await parts.records.get(a, 'large'))?.value).toEqual(large)
    expect(await parts.places.census(a, await parts.places.get(a))).toEqual({
      'table content': 2,
      'container content': 1,
    })
    await parts.places.empty(a, await parts.places.get(a))
    expect(await parts.places.census(a, await parts.places.get(a))).toEqual({})
  })
})
