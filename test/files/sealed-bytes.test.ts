import { randomBytes } from 'node:crypto'
import { systemClock } from '../../src/base/clock'
import { Problem } from '../../src/base/problem'
import { CHUNK_BYTES } from '../../src/files/file-bounds'
import { exportFiles } from '../../src/offboarding/export-files'
import { copyPlace } from '../../src/moving/copy-place'
import { ownPlaceOf } from '../../src/storage/places'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { tenantInput } from '../../src/tenants/tenant-input'
import { tenantStorage } from '../../src/tenants/tenants'
import { queryUsage } from '../../src/usage/query-usage'
import { usageStorage } from '../../src/usage/run-roll-up'
import { lifecycleParts } from '../offboarding/lifecycle-parts'
import { filesParts, pieces, wholeOf } from './files-parts'

const parts = filesParts(systemClock)
const { storage, files, records, places, keyring, newTenant } = parts
const { tenants } = lifecycleParts(storage, systemClock)
beforeAll(async () => {
  await parts.prepare()
  for (const needs of [tenantStorage, usageStorage]) await storage.ensure(needs)
})
afterAll(parts.close)

const content = randomBytes(CHUNK_BYTES + 70_000)
async function made(scope: TenantScope, filename = 'a.jsonl') {
  const file = await files.create(scope, { filename, purpose: 'batch', createdBy: undefined }, pieces(content))
  if (file instanceof Problem) throw new Error(file.public)
  return file
}
describe('bytes as sealed records', () => {
  it('are read as they were put, and are no values', async () => {
    const scope = await newTenant()
    for (const bytes of [Buffer.alloc(0), randomBytes(10), randomBytes(100_000)]) {
      await records.putBytes(scope, 'bytes', bytes)
      expect(await records.getBytes(scope, 'bytes')).toEqual(bytes)
    }
    await records.put(scope, 'value', { a: 1 })
    expect(await records.get(scope, 'bytes')).toBeUndefined()
    expect(await records.getBytes(scope, 'value')).toBeUndefined()
    expect(await Array.fromAsync(records.ids(scope, ''))).toEqual(['value'])
    expect(await Array.fromAsync(records.values(scope, ''))).toEqual([{ id: 'value', value: { a: 1 } }])
  })

  it('are removed by the beginning of their ids, with what no row names of them and with no value', async () => {
    const scope = await newTenant()
    for (const id of ['some-1', 'some-2', 'some-kept', 'other']) await records.putBytes(scope, id, randomBytes(100_000))
    await records.put(scope, 'some-value', 'x'.repeat(100_000))
    const place = await places.contents(scope, await places.get(scope))
    await place.tables.content.remove('some-2')
    await records.removeBytes(scope, 'some-', (id) => id !== 'some-kept')
    const rows = await Array.fromAsync(place.tables.content.range('', '~'))
    expect(rows.map(({ rowKey }) => rowKey)).toEqual(['other', 'some-kept', 'some-value'])
    const blobs = await Array.fromAsync(place.containers.content.list(''))
    expect(blobs.map(({ name }) => name.split('/')[0])).toEqual(['other', 'some-kept', 'some-value'])
  })

  it('tell nothing of what they hold to who has the storage', async () => {
    const scope = await newTenant()
    const marked = Buffer.concat([Buffer.from('{"secret":"of a tenant"}'), content])
    const file = await files.create(
      scope,
      { filename: 'secret-name.jsonl', purpose: 'batch', createdBy: undefined },
      pieces(marked),
    )
    expect(file).not.toBeInstanceOf(Problem)
    const seen: Buffer[] = []
    for await (const { name } of storage.container('tenant-content').listBlobsFlat())
      seen.push(Buffer.from(name), await storage.container('tenant-content').getBlobClient(name).downloadToBuffer())
    for (const table of ['content', 'files'])
      for await (const entity of storage.table(table).listEntities())
        for (const value of Object.values(entity))
          seen.push(Buffer.from(value instanceof Uint8Array ? value : String(value)))
    expect(seen.length).toBeGreaterThan(4)
    for (const secret of ['of a tenant', 'secret-name'])
      expect(seen.filter((bytes) => bytes.includes(secret))).toEqual([])
  })

  it('of another tenant do not open in this one’s place', async () => {
    const [scope, other] = [await newTenant(), await newTenant()]
    const { id } = await made(scope)
    const rows = (await places.contents(scope, await places.get(scope))).tables.content
    const theirs = await places.contents(other, await places.get(other))
    const blobs = (await places.contents(scope, await places.get(scope))).containers.content
    for await (const { rowKey, columns } of rows.range('', '~')) await theirs.tables.content.put(rowKey, columns)
    for await (const { name } of blobs.list(''))
      await theirs.containers.content.put(name, (await blobs.get(name)) ?? Buffer.alloc(0))
    await expect(files.get(other, id)).rejects.toThrow('the sealed bytes were changed')
  })
})

describe('a file', () => {
  it('is sealed anew with everything else, and opens when the older version of the key is gone', async () => {
    const scope = await newTenant()
    const { id } = await made(scope)
    const version = await keyring.addVersion(scope, 'rot_1')
    // Another instance, which knows the new version at once.
    const later = parts.another()
    for (let runs = 0; ; runs++) {
      const { isDone } = await later.records.reseal(scope, { olderThan: version, recordsMax: 2 })
      if (isDone) break
      expect(runs).toBeLessThan(10)
    }
    await later.keyring.retireOlder(scope, version)
    expect((await wholeOf((await parts.another().files.read(scope, id))?.content)).equals(content)).toBe(true)
  })

  it('is not read a second time from its blob where a resealing goes on behind it', async () => {
    const scope = await newTenant()
    await made(scope)
    const version = await keyring.addVersion(scope, 'rot_2')
    const later = parts.another()
    expect(await later.records.reseal(scope, { olderThan: version, recordsMax: 100 })).toEqual({ isDone: true })
    const container = (await places.contents(scope, await places.get(scope))).containers.content
    // Whoever had to look into the blobs would find them missing.
    for await (const { name } of container.list('')) await container.remove(name)
    expect(await later.records.reseal(scope, { olderThan: version, recordsMax: 100 })).toEqual({ isDone: true })
  })

  it('is there in the place that its tenant is moved to, and counted in none that was emptied', async () => {
    const scope = await newTenant()
    const { id } = await made(scope)
    const [from, to] = [await places.get(scope), ownPlaceOf(scope)]
    await places.prepare(scope, to)
    await copyPlace(await places.contents(scope, from), await places.contents(scope, to), async () => {})
    await places.set(scope, to)
    await places.empty(scope, from)
    expect(await places.census(scope, from)).toEqual({})
    expect((await places.census(scope, to))['container content']).toBeGreaterThan(0)
    expect((await wholeOf((await parts.another().files.read(scope, id))?.content)).equals(content)).toBe(true)
  })

  it('does not open when its tenant’s key is destroyed', async () => {
    const scope = await newTenant()
    const { id } = await made(scope)
    await keyring.destroy(scope)
    await expect(parts.another().files.get(scope, id)).rejects.toThrow()
  })

  it('is in its tenant’s export as it was sent, under a name that leads out of no folder', async () => {
    const scope = await newTenant()
    const { id } = await made(scope, '../../etc/pass wd.jsonl')
    const input = { displayName: 'A', contact: { email: 'a@a.example' }, tier: 'free', region: 'swedencentral' }
    expect(await tenants.register(scope.tenantId, tenantInput.parse(input))).not.toBeInstanceOf(Problem)
    const archive = exportFiles(
      {
        tenants,
        keys: { list: async () => [] },
        members: { list: async () => [] },
        directories: { list: async () => [] },
        audit: { page: async () => [] },
        queryUsage: (of, query) =>
          queryUsage({ storage, clock: systemClock, rollUp: { run: async () => {} } }, of, query),
        records,
        files,
        billing: { invoices: async () => [] },
        subscriptions: { list: async () => [] },
        clock: systemClock,
      },
      scope,
    )
    const exported: Record<string, Buffer> = {}
    for await (const { name, content: bytes } of archive) exported[name] = await wholeOf(bytes)
    expect(exported[`files/${id}/__.._etc_pass wd.jsonl`]?.equals(content)).toBe(true)
    const known = (exported['records.jsonl'] ?? Buffer.alloc(0)).toString().trim().split('\n')
    expect(known.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { value: { id, filename: '../../etc/pass wd.jsonl' } },
    ])
  })
})
