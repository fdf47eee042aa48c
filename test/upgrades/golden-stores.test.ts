import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allStorageNeeds } from '../../src/storage-needs'
import { freshStorage } from '../harness/storage'
import { putRows, rowsOf, WRITES_FIXTURES, type StoredRow } from './fixtures'
import { goldenTenantStores } from './golden-tenant-stores'
import { goldenWatchingStores } from './golden-watching-stores'
import { goldenWorkStores } from './golden-work-stores'
import { goldenWorld, type GoldenStore } from './golden-world'

const FILE = join(__dirname, 'fixtures', 'rows-of-stores-1.json')
/** Rows of tables that `golden-rows.test.ts` reads by what the API answers. */
const ANSWERED = join(__dirname, 'fixtures', 'rows-1.json')

interface Golden {
  readonly rows: readonly StoredRow[]
  /** What the stores read when the rows were written, by their tables. */
  readonly read: Readonly<Record<string, unknown>>
}

/** In the order in which they are written: what is sealed needs the tenant’s key. */
const goldenStores = [...goldenTenantStores, ...goldenWorkStores, ...goldenWatchingStores]

const nameOf = ({ tables }: GoldenStore) => tables.join(', ')
const rowsIn = (file: string): readonly StoredRow[] => (JSON.parse(readFileSync(file, 'utf8')) as Golden).rows

async function write(): Promise<void> {
  const storage = freshStorage()
  await storage.ensure(allStorageNeeds)
  const world = goldenWorld(storage)
  for (const store of goldenStores) await store.write(world)
  const read: Record<string, unknown> = {}
  for (const store of goldenStores) read[nameOf(store)] = plain(await store.read(world))
  writeFileSync(FILE, `${JSON.stringify({ read, rows: await rowsOf(storage) } satisfies Golden, null, 1)}\n`)
}

if (WRITES_FIXTURES && !existsSync(FILE)) beforeAll(write)

/** The golden rows in a storage of their own, or none of them. */
async function worldWith(rows: readonly StoredRow[]) {
  const storage = freshStorage()
  await storage.ensure(allStorageNeeds)
  await putRows(storage, rows)
  return goldenWorld(storage)
}

const tablesWithout = (rows: readonly StoredRow[]) => {
  const there = new Set(rows.map(({ table }) => table))
  return allStorageNeeds.tables.filter((table) => !there.has(table))
}

test('every table of the platform has golden rows', () => {
  const rows = [...rowsIn(ANSWERED), ...rowsIn(FILE)]
  expect(tablesWithout(rows)).toEqual([])
  expect(tablesWithout(rows.filter(({ table }) => table !== 'sla'))).toEqual(['sla'])
})

test('what the stores of an earlier release have written is read as it was meant', async () => {
  const { rows, read } = JSON.parse(readFileSync(FILE, 'utf8')) as Golden
  const world = await worldWith(rows)
  const found: Record<string, unknown> = {}
  for (const store of goldenStores) found[nameOf(store)] = plain(await store.read(world))
  expect(found).toEqual(read)
})

test('each of them reads the rows that are there: without them it says something else', async () => {
  const { read } = JSON.parse(readFileSync(FILE, 'utf8')) as Golden
  const world = await worldWith([])
  for (const store of goldenStores) {
    const found = await store.read(world).then(plain, () => 'nothing')
    expect({ [nameOf(store)]: found }).not.toEqual({ [nameOf(store)]: read[nameOf(store)] })
  }
})

/** As JSON has it, with maps as lists and bytes as text. */
const plain = (value: unknown): unknown =>
  value === undefined
    ? null
    : JSON.parse(
        JSON.stringify(value, (_, inner: unknown) =>
          inner instanceof Map
            ? [...inner]
            : inner instanceof Uint8Array
              ? Buffer.from(inner).toString('base64')
              : inner,
        ),
      )
