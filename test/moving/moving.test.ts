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
import { movingChecklist } from '../../src/moving/moving-checklist'
import { rotationChecklist } from '../../src/moving/rotation-checklist'
import { createPlaces, ownPlaceOf, placeStorage } from '../../src/storage/places'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { createSnapshotStore } from '../../src/tenants/snapshot-store'
import { createTenantDirectory } from '../../src/tenants/tenant-directory'
import { createTenants, tenantStorage } from '../../src/tenants/tenants'
import { handRun } from '../checklists/hand-run'
import { freshStorage } from '../harness/storage'

const chance = systemChance()
/** Twenty times as fast as the wall's, so that the caches of other instances run out within a test. */
const startedAt = systemClock.now()
const clock: Clock = {
  ...systemClock,
  now: () => startedAt + (systemClock.now() - startedAt) * 20,
  monotonicMs: () => systemClock.monotonicMs() * 20,
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

/** One app instance's view of tenants' data. */
function instance() {
  const places = createPlaces({ storage, rows: tenantTable(storage.table('tenantplaces')), clock, log })
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
  return { places, keyring, records, tenants, audit, clock, graceMs: 30_000 }
}

async function newTenant(parts = instance()) {
  const scope = TenantScope.ofPlatform(ids.tenantId())
  await parts.tenants.register(scope.tenantId, {
    displayName: 'Moved',
    contact: { email: 'a@b.example' },
    tier: 'standard',
    region: 'swedencentral',
    residency: [],
    isolation: { models: 'shared', data: 'logical' },
    aliases: [],
    limitOverrides: {},
    settings: {},
  })
  await parts.keyring.create(scope)
  return scope
}

async function run<Input>(checklist: Checklist<Input>, scope: TenantScope, input: Input) {
  const runStep = createRunStep(checklist, { log, alert: async () => {} })
  const { output } = await handRun(
    (steps) => runChecklist(steps, planOf(checklist), { tenantId: scope.tenantId, input }),
    {
      activity: (_, request) =>
        runStep(request as StepRequest, { orchestrations: { purge: async () => {}, running: async () => [] } }),
    },
  )
  return output
}

describe('moving a tenant’s data', () => {
  it.each([
    ['logical', 'container'],
    ['container', 'logical'],
  ] as const)(
    'from %s to %s loses nothing that was written meanwhile, and no read ever fails',
    async (from, to) => {
      const parts = instance()
      const elsewhere = instance()
      const scope = await newTenant(parts)
      if (from === 'container') await run(movingChecklist(parts), scope, { data: 'container' })
      for (let i = 0; i < 30; i++) await parts.records.put(scope, `old-${i}`, { i })
      await parts.records.put(scope, 'removed', {})

      const during = { isDone: false }
      const acknowledged = new Map<string, number>()
      const writer = (async () => {
        for (let i = 0; !during.isDone; i++) {
          const id = `new-${i % 7}`
          try {
            await elsewhere.records.put(scope, id, { i })
            acknowledged.set(id, i)
          } catch (error) {
            // Only the fence may refuse, and it says that waiting helps.
            if (!(error instanceof ProblemError) || error.problem.code !== 'tenant_moving') throw error
          }
        }
      })()
      const reader = (async () => {
        while (!during.isDone) expect(await elsewhere.records.get(scope, 'old-7')).toMatchObject({ value: { i: 7 } })
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
      const left = from === 'logical' ? { kind: 'logical' as const } : ownPlaceOf(scope)
      expect(await fresh.places.census(scope, left)).toEqual({})
      expect((await fresh.tenants.get(scope))?.isolation.data).toBe(to)
    },
    60_000,
  )

  it('is one at a time', async () => {
    const parts = instance()
    const scope = await newTenant(parts)
    await parts.places.reserve(scope, 'mov_other')
    const output = await run(movingChecklist(parts), scope, { data: 'container' })
    expect(output).toMatchObject({ state: 'undone', steps: [{ error: { code: 'conflict' } }, {}, {}, {}, {}] })
    expect(await parts.places.get(scope)).toEqual({ kind: 'logical' })
  })
})

describe('rotating a tenant’s data key', () => {
  it('seals everything with the new version, forgets the old one, and loses no write in between', async () => {
    const parts = instance()
    const scope = await newTenant(parts)
    for (let i = 0; i < 20; i++) await parts.records.put(scope, `record-${i}`, { i })
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
    expect((await fresh.records.get(scope, 'busy'))?.value).toEqual({ i: last })
  }, 60_000)
})

describe('a tenant’s rows', () => {
  it.each(['logical', 'container'] as const)(
    'in a %s place do not open when copied under another tenant',
    async (data) => {
      const parts = instance()
      const [a, b] = [await newTenant(parts), await newTenant(parts)]
      for (const scope of [a, b]) if (data === 'container') await run(movingChecklist(parts), scope, { data })
      await parts.records.put(a, 'secret', { of: 'a' })
      const of = async (scope: TenantScope) =>
        (await parts.places.at(scope, await parts.places.get(scope))).tables.content
      const stolen = await (await of(a)).get('secret')
      await (await of(b)).put('secret', stolen?.columns ?? {})
      await expect(parts.records.get(b, 'secret')).rejects.toMatchObject({ kind: 'does-not-open' })
      expect(await parts.records.get(b, 'never-was')).toBeUndefined()
      expect((await parts.records.get(a, 'secret'))?.value).toEqual({ of: 'a' })
    },
  )
})
