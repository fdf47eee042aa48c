import { ProblemError } from '../../src/base/problem'
import { changeRow } from '../../src/storage/change-row'
import { connectStorage } from '../../src/storage/connect'
import { fromJsonColumns, toJsonColumns } from '../../src/storage/json-columns'
import { platformTable } from '../../src/storage/platform-table'
import { ROW_VERSION, rowVersions } from '../../src/storage/row-versions'
import { allStorageNeeds } from '../../src/storage-needs'
import { freshStorage, testConnectionString } from '../harness/storage'

interface Tally {
  readonly count: number
  /** Of the next release. */
  readonly shade?: string
}

/** Releases side by side on one storage, told apart by the layouts of the table that they read and write. */
async function releases() {
  const { prefix, ensure } = freshStorage()
  await ensure({ tables: ['things'] })
  const release = (reads: number, writes: number) =>
    platformTable(
      connectStorage({ kind: 'connection-string', connectionString: testConnectionString() }, prefix, {
        things: { reads, writes },
      }).table('things'),
    )
  return { today: release(1, 1), next: release(2, 1), last: release(2, 2) }
}

const refused = (code: string) =>
  expect.objectContaining({ problem: expect.objectContaining({ code }) }) as ProblemError
const newer = refused('written_by_newer_release')
const add = (value: Tally | undefined): Tally => ({ ...value, count: (value?.count ?? 0) + 1 })

describe('a row of a newer layout', () => {
  it('is refused with its own problem, alone and among others, and stays as it is', async () => {
    const { today, last } = await releases()
    await last.insert('a', toJsonColumns({ count: 1 }))
    const before = await last.get('a')
    await expect(today.get('a')).rejects.toEqual(newer)
    await expect(Array.fromAsync(today.range('', '~'))).rejects.toEqual(newer)
    await expect(Array.fromAsync(today.range('', '~', ['json0']))).rejects.toEqual(newer)
    await expect(changeRow<Tally>(today, 'a', add)).rejects.toEqual(newer)
    expect(await today.insert('a', toJsonColumns({ count: 9 }))).toEqual({ kind: 'lost-race' })
    expect(await last.get('a')).toEqual(before)
  })

  it('is read by the release before the one that writes it, which goes on writing the old one for its elders', async () => {
    const { today, next, last } = await releases()
    await last.insert('a', toJsonColumns({ count: 1 }))
    await next.insert('b', toJsonColumns({ count: 2 }))
    expect((await next.get('a'))?.columns[ROW_VERSION]).toBe(2)
    expect(fromJsonColumns<Tally>((await today.get('b'))?.columns ?? {})).toEqual({ count: 2 })
    expect((await last.get('b'))?.columns).not.toHaveProperty(ROW_VERSION)
  })

  it('that is copied as it is keeps its version', async () => {
    const { next, last } = await releases()
    await last.insert('a', toJsonColumns({ count: 1 }))
    const row = await next.get('a')
    await next.put('copy', row?.columns ?? {})
    expect((await last.get('copy'))?.columns[ROW_VERSION]).toBe(2)
  })

  it('is written by no release over whatever is there, which could be newer still', async () => {
    const { last } = await releases()
    await expect(last.put('a', toJsonColumns({ count: 1 }))).rejects.toThrow('takes a table of its own')
  })
})

describe('two releases that add to the same rows', () => {
  it('each count what the other has counted, and a field that only one of them knows is kept', async () => {
    const { today, next } = await releases()
    await next.insert('a', toJsonColumns({ count: 0, shade: 'blue' } satisfies Tally))
    await Promise.all([today, next, today, next].map((rows) => changeRow<Tally>(rows, 'a', add)))
    expect(fromJsonColumns<Tally>((await today.get('a'))?.columns ?? {})).toEqual({ count: 4, shade: 'blue' })
  })
})

it('every layout that is listed is of a table that there is, and is read by whoever writes it', () => {
  for (const [table, { reads, writes }] of Object.entries(rowVersions)) {
    expect(allStorageNeeds.tables).toContain(table)
    expect(reads).toBeGreaterThanOrEqual(writes)
  }
})
