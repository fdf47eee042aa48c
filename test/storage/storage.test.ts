import type { PartitionTable } from '../../src/storage/partition-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { freshStorage } from '../harness/storage'

const scopeOf = (name: string) => TenantScope.ofPlatform(`ten_${name}`)

async function freshTable() {
  const storage = freshStorage()
  await storage.ensure({ tables: ['notes'] })
  return tenantTable<{ text: string }>(storage.table('notes'))
}

describe('a tenant table', () => {
  it("never shows one tenant's row to another, whatever the row's key", async () => {
    const table = await freshTable()
    await table.put(scopeOf('a'), 'same', { text: 'of a' })

    expect(await table.get(scopeOf('b'), 'same')).toBeUndefined()
    expect((await table.get(scopeOf('a'), 'same'))?.columns.text).toBe('of a')
    expect(await Array.fromAsync(table.range(scopeOf('b'), '', '~'))).toEqual([])
  })

  it('lets exactly one of two writers with the same tag win', async () => {
    const table = await freshTable()
    const scope = scopeOf('a')
    await table.insert(scope, 'row', { text: '0' })
    const etag = (await table.get(scope, 'row'))?.etag ?? ''

    const results = await Promise.all([
      table.replace(scope, 'row', { text: '1' }, etag),
      table.replace(scope, 'row', { text: '2' }, etag),
    ])

    expect(results.map(({ kind }) => kind).sort()).toEqual(['lost-race', 'written'])
  })

  it('refuses a second insert and forgives the removal of what is not there', async () => {
    const table = await freshTable()
    await table.insert(scopeOf('a'), 'row', { text: '0' })

    expect((await table.insert(scopeOf('a'), 'row', { text: '1' })).kind).toBe('lost-race')
    await table.remove(scopeOf('a'), 'row')
    await table.remove(scopeOf('a'), 'row')
    expect(await table.get(scopeOf('a'), 'row')).toBeUndefined()
  })

  it('removes a range of rows, and nothing beside it', async () => {
    const table = await freshTable()
    const rows = table.partition(scopeOf('a'))
    const other = table.partition(scopeOf('b'))
    const keys = Array.from({ length: 230 }, (_, i) => `b${String(i).padStart(3, '0')}`)
    for (const rowKey of [...keys, 'a', 'c']) await rows.put(rowKey, { text: '' })
    await other.put('b000', { text: '' })

    expect(await rows.removeRange('b', 'c')).toBe(230)
    expect(await keysOf(rows)).toEqual(['a', 'c'])
    expect(await rows.removeRange('b', 'c')).toBe(0)
    expect(await keysOf(other)).toEqual(['b000'])
  })

  it('removes everything though others are at it, as many as there are', async () => {
    const table = await freshTable()
    const rows = table.partition(scopeOf('a'))
    for (let i = 0; i < 150; i++) await rows.put(`row${i}`, { text: '' })

    await Promise.all([rows.removeAll(), rows.removeAll(), rows.removeAll(), rows.remove('row77')])
    expect(await keysOf(rows)).toEqual([])
  })
})

const keysOf = async (rows: PartitionTable<{ text: string }>) =>
  (await Array.fromAsync(rows.range('', '~'))).map(({ rowKey }) => rowKey)
