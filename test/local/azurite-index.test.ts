import fc from 'fast-check'
import { changesMax, partitionTable } from '../../src/storage/partition-table'
import { freshStorage } from '../harness/storage'

/** Names that an index could mistake for one another, and text that a filter's reader could. */
const partitions = ['ten_a', 'ten_A', '007', '7', '7.0', "o'clock", 'this or that', 'a and b', 'é', "' or '1'='1"]
const keys = ['snapshot', 'Snapshot', '20261122', '020261122', '1e3', '1000', "it's", 'x or y', 'ü', '~']

/** By partition and key. */
const rowsOf = () =>
  fc.uniqueArray(fc.tuple(fc.constantFrom(...partitions), fc.constantFrom(...keys)), {
    minLength: 20,
    maxLength: 90,
    selector: ([partition, key]) => `${partition}/${key}`,
  })

describe('the local tables', () => {
  it('find a row, and a range of a partition, as if they went through all rows', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf(), fc.constantFrom(...keys), fc.constantFrom(...keys), async (rows, from, to) => {
        const storage = freshStorage()
        await storage.ensure({ tables: ['indexed'] })
        const of = (partition: string) => partitionTable<{ of: string }>(storage.table('indexed'), partition)
        const own = (partition: string) => rows.filter(([its]) => its === partition).map(([, key]) => key)
        for (const partition of partitions) {
          const changes = own(partition).map(
            (rowKey) => ({ kind: 'insert', rowKey, columns: { of: partition } }) as const,
          )
          if (changes.length > 0) await of(partition).change(changes.slice(0, changesMax))
        }
        for (const partition of partitions) {
          const expected = own(partition).toSorted()
          for (const key of keys)
            expect((await of(partition).get(key))?.columns.of).toBe(expected.includes(key) ? partition : undefined)
          const found = await Array.fromAsync(of(partition).range(from, to))
          expect(found.map(({ rowKey }) => rowKey)).toEqual(expected.filter((key) => key >= from && key < to))
          expect(found.every(({ columns }) => columns.of === partition)).toBe(true)
          const [first] = expected
          if (first !== undefined) expect((await of(partition).insert(first, { of: 'again' })).kind).toBe('lost-race')
        }
        const [gone] = rows
        if (!gone) return
        const [partition, key] = gone
        await of(partition).remove(key)
        expect(await of(partition).get(key)).toBeUndefined()
        expect((await of(partition).insert(key, { of: partition })).kind).toBe('written')
        expect(await of(partition).removeAll()).toBe(own(partition).length)
        for (const other of partitions)
          expect(await Array.fromAsync(of(other).range('', '\uffff'))).toHaveLength(
            other === partition ? 0 : own(other).length,
          )
      }),
      { numRuns: 10 },
    )
  })
})
