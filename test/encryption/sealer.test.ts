import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { systemChance } from '../../src/base/chance'
import { createIdMaker } from '../../src/base/ids'
import { createLog } from '../../src/base/log'
import { createSealer } from '../../src/encryption/create-sealer'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createTenantKeys, dataKeyStorage, type TenantKeys } from '../../src/encryption/tenant-keys'
import type { WrappingKey } from '../../src/base/wrapping-key'
import type { StorageAccount } from '../../src/storage/connect'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { handClock, type HandClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'

const chance = systemChance()
const file = join(mkdtempSync(join(tmpdir(), 'tenantry-test-')), 'wrapping-key.json')
const log = createLog(
  () => {},
  () => 0,
)
let storage: StorageAccount
let clock: HandClock
beforeAll(async () => {
  storage = freshStorage()
  clock = handClock()
  await storage.ensure(dataKeyStorage)
})

/** One app instance's keys and sealer; several share storage and key file. */
function instance(wrappingKey: WrappingKey = keyFileWrappingKey(file)) {
  const table = tenantTable(storage.table('datakeys'))
  const keys = createTenantKeys({ table, wrappingKey, clock, chance, log })
  return { keys, sealer: createSealer({ keys, chance }) }
}
const keyOf = (keys: TenantKeys, scope: TenantScope) => keys.withNewest(scope, ({ key }) => Buffer.from(key))
const newTenant = () => TenantScope.ofPlatform(createIdMaker({ clock, chance }).tenantId())
const text = (value: string) => new TextEncoder().encode(value)

async function tenantWithKey(at = instance()) {
  const scope = newTenant()
  await at.keys.create(scope)
  return { ...at, scope }
}

describe('sealed bytes', () => {
  it('open on another instance, for their tenant and record, to what was sealed', async () => {
    const { sealer, scope } = await tenantWithKey()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), fc.string(), async (plain, recordId) => {
        const sealed = await sealer.seal(scope, recordId, plain)
        expect(await instance().sealer.open(scope, recordId, sealed)).toEqual(Buffer.from(plain))
      }),
      { numRuns: 30 },
    )
  })

  it('do not open when any one bit was changed, or any of them is missing', async () => {
    const { sealer, scope } = await tenantWithKey()
    const sealed = await sealer.seal(scope, 'record', text('what nobody else may read'))
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length * 8 - 1), async (bit) => {
        const changed = Buffer.from(sealed)
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        await expect(sealer.open(scope, 'record', changed)).rejects.toThrow(/seal|data key/)
        await expect(sealer.open(scope, 'record', sealed.subarray(0, bit >> 3))).rejects.toThrow(/seal/)
      }),
      { numRuns: 200 },
    )
  })

  it('do not open for another tenant or another record', async () => {
    const a = await tenantWithKey()
    const b = await tenantWithKey()
    const sealed = await a.sealer.seal(a.scope, 'one', text('of a'))
    await expect(b.sealer.open(b.scope, 'one', sealed)).rejects.toMatchObject({ kind: 'does-not-open' })
    await expect(a.sealer.open(a.scope, 'two', sealed)).rejects.toMatchObject({ kind: 'does-not-open' })
  })

  it('do not open for another tenant even with the first one’s very key', async () => {
    const a = await tenantWithKey()
    const thief = newTenant()
    const rows = tenantTable(storage.table('datakeys'))
    for await (const { rowKey, columns } of rows.range(a.scope, '', '~')) await rows.put(thief, rowKey, columns)
    const sealed = await a.sealer.seal(a.scope, 'one', text('of a'))
    await expect(a.sealer.open(thief, 'one', sealed)).rejects.toMatchObject({ kind: 'does-not-open' })
  })

  it('never look alike twice', async () => {
    const { sealer, scope } = await tenantWithKey()
    const sealed = await Promise.all([1, 2, 3].map(() => sealer.seal(scope, 'record', text('same'))))
    expect(new Set(sealed.map((bytes) => bytes.toString('hex'))).size).toBe(3)
  })
})

describe('a tenant’s data key', () => {
  it('is made once, however many ask at once', async () => {
    const scope = newTenant()
    await Promise.all([1, 2, 3, 4].map(() => instance().keys.create(scope)))
    expect(await instance().keys.versions(scope)).toHaveLength(1)
  })

  it('opens what older versions sealed until they are retired', async () => {
    const { keys, sealer, scope } = await tenantWithKey()
    const old = await sealer.seal(scope, 'record', text('old'))
    expect(await keys.addVersion(scope, 'rot_1')).toBe(2)
    expect(await instance().keys.addVersion(scope, 'rot_1')).toBe(2)
    const renewed = await sealer.seal(scope, 'record', text('new'))
    const elsewhere = instance().sealer
    expect((await elsewhere.open(scope, 'record', old)).toString()).toBe('old')
    await keys.retireOlder(scope, 2)
    expect((await sealer.open(scope, 'record', renewed)).toString()).toBe('new')
    await expect(sealer.open(scope, 'record', old)).rejects.toMatchObject({ kind: 'no-key' })
  })

  it('is used in its new version by an instance that remembers the old one', async () => {
    const { sealer, scope } = await tenantWithKey()
    const elsewhere = instance()
    await elsewhere.sealer.seal(scope, 'warm', text('x'))
    await instance().keys.addVersion(scope, 'rot_1')
    await clock.advance(30_000)
    await elsewhere.sealer.seal(scope, 'warm', text('x'))
    const sealed = await elsewhere.sealer.seal(scope, 'record', text('x'))
    expect(sealed.readUInt32BE(1)).toBe(2)
    expect((await sealer.open(scope, 'record', sealed)).toString()).toBe('x')
  })

  it('once destroyed opens nothing any more, on no instance after 30 s', async () => {
    const { keys, sealer, scope } = await tenantWithKey()
    const elsewhere = instance()
    const sealed = await sealer.seal(scope, 'record', text('gone'))
    expect((await elsewhere.sealer.open(scope, 'record', sealed)).toString()).toBe('gone')
    await keys.destroy(scope)
    await expect(sealer.open(scope, 'record', sealed)).rejects.toMatchObject({ kind: 'no-key' })
    await clock.advance(30_000)
    await expect(elsewhere.sealer.open(scope, 'record', sealed)).rejects.toMatchObject({ kind: 'no-key' })
  })

  it('is retired up to the version that a rotation made, even by a step that is repeated after the next rotation began', async () => {
    const { keys, sealer, scope } = await tenantWithKey()
    await keys.addVersion(scope, 'rot_1')
    await keys.retireOlder(scope, 2)
    const sealed = await sealer.seal(scope, 'record', text('sealed by the second'))
    await keys.addVersion(scope, 'rot_2')
    await keys.retireOlder(scope, 2)
    expect((await sealer.open(scope, 'record', sealed)).toString()).toBe('sealed by the second')
  })

  it('does not come back by a rotation that was under way when it was destroyed', async () => {
    const { keys, scope } = await tenantWithKey()
    await keys.destroy(scope)
    await expect(keys.addVersion(scope, 'rot_1')).rejects.toMatchObject({ kind: 'no-key' })
    await expect(keys.retireOlder(scope, 2)).rejects.toMatchObject({ kind: 'no-key' })
    expect(await keys.versions(scope)).toEqual([])
  })

  it('is overwritten in memory once nobody has used it for 30 s, and unwrapped again when it is needed', async () => {
    const file1 = keyFileWrappingKey(file)
    const unwrapped: Uint8Array[] = []
    const watched: WrappingKey = {
      wrap: file1.wrap,
      unwrap: async (...args) => {
        const key = await file1.unwrap(...args)
        unwrapped.push(key)
        return key
      },
    }
    const { sealer, scope } = await tenantWithKey(instance(watched))
    const sealed = await sealer.seal(scope, 'record', text('kept'))
    await clock.advance(20_000)
    await sealer.seal(scope, 'record', text('in use'))
    expect(unwrapped).toHaveLength(1)
    expect(unwrapped[0]?.some((byte) => byte !== 0)).toBe(true)
    await clock.advance(60_000)
    expect(unwrapped[0]).toEqual(Buffer.alloc(32))
    expect((await sealer.open(scope, 'record', sealed)).toString()).toBe('kept')
    expect(unwrapped).toHaveLength(2)
  })

  it('is nowhere in storage in the clear', async () => {
    const { keys, scope } = await tenantWithKey()
    const key = await keyOf(keys, scope)
    const rows = tenantTable(storage.table('datakeys'))
    for await (const { columns } of rows.range(scope, '', '~'))
      expect(Buffer.from(columns['wrapped'] as Uint8Array).includes(key)).toBe(false)
  })
})

describe('the wrapping key file', () => {
  it('is made for its owner alone, and read again after that', async () => {
    const { keys, scope } = await tenantWithKey()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await keyOf(instance().keys, scope)).toEqual(await keyOf(keys, scope))
  })

  it('takes a new version: older wrappings still open, and rewrapping leaves none', async () => {
    const { keys, sealer, scope } = await tenantWithKey()
    const sealed = await sealer.seal(scope, 'record', text('kept'))
    const stored = JSON.parse(readFileSync(file, 'utf8')) as { current: string; keys: Record<string, string> }
    const added = Buffer.from(chance.bytes(32)).toString('base64')
    writeFileSync(file, JSON.stringify({ current: '2', keys: { ...stored.keys, '2': added } }))
    const next = instance()
    expect((await next.sealer.open(scope, 'record', sealed)).toString()).toBe('kept')
    await next.keys.rewrap(scope)
    expect(await keys.versions(scope)).toMatchObject([{ version: 1, wrappedBy: 'key-file/2' }])
    expect((await instance().sealer.open(scope, 'record', sealed)).toString()).toBe('kept')
  })

  it('that lacks the version it names is refused at once', () => {
    const broken = join(mkdtempSync(join(tmpdir(), 'tenantry-test-')), 'wrapping-key.json')
    writeFileSync(broken, JSON.stringify({ current: '2', keys: { '1': '' } }))
    expect(() => keyFileWrappingKey(broken)).toThrow('no version "2"')
  })
})
