import type { Columns, PartitionTable, Row } from '../storage/partition-table'
import { ABOVE_EVERY_ROW_KEY, type PlaceContents } from '../storage/place-contents'
import type { TenantBlobs } from '../storage/tenant-blobs'
import { tenantDataContainers, tenantDataTables } from '../storage/tenant-data'

/**
 * Makes the tenant's data in `to` what it is in `from`: copies what is new or changed and removes what is gone. Can be broken
 * off and repeated, and reads on where others write; how much was written or removed. `mayChange` is asked before each
 * change and throws where this copy is no longer wanted.
 */
export async function copyPlace(
  from: PlaceContents,
  to: PlaceContents,
  mayChange: () => Promise<void>,
): Promise<number> {
  let changes = 0
  // Blobs first: a row that is copied names none that is not there yet.
  for (const name of tenantDataContainers)
    changes += await copyBlobs(from.containers[name], to.containers[name], mayChange)
  for (const name of tenantDataTables) changes += await copyRows(from.tables[name], to.tables[name], mayChange)
  return changes
}

/** Blobs are sealed and small; their MD5, which storage keeps, tells whether one has changed. */
async function copyBlobs(from: TenantBlobs, to: TenantBlobs, mayChange: () => Promise<void>): Promise<number> {
  let changes = 0
  const pairs = paired(from.list(''), to.list(''), ({ name }) => name)
  for await (const { key: name, one, other } of pairs) {
    if (one && other && one.md5 !== '' && one.md5 === other.md5) continue
    // Listed and gone since.
    const bytes = one && (await from.get(name))
    await mayChange()
    if (bytes) await to.put(name, bytes)
    else await to.remove(name)
    changes++
  }
  return changes
}

async function copyRows(
  from: PartitionTable<Columns>,
  to: PartitionTable<Columns>,
  mayChange: () => Promise<void>,
): Promise<number> {
  let changes = 0
  const all = (table: PartitionTable<Columns>) => table.range('', ABOVE_EVERY_ROW_KEY)
  for await (const { key, one, other } of paired<Row<Columns>>(all(from), all(to), ({ rowKey }) => rowKey)) {
    if (one && other && sameColumns(one.columns, other.columns)) continue
    await mayChange()
    if (one) await to.put(key, one.columns)
    else await to.remove(key)
    changes++
  }
  return changes
}

/** Walks two listings in the order of their keys; what has the same key in both comes together. */
export async function* paired<T>(
  ones: AsyncIterable<T>,
  others: AsyncIterable<T>,
  keyOf: (item: T) => string,
): AsyncGenerator<{ key: string; one: T | undefined; other: T | undefined }> {
  const iterators = { ones: ones[Symbol.asyncIterator](), others: others[Symbol.asyncIterator]() }
  let one = await iterators.ones.next()
  let other = await iterators.others.next()
  while (!one.done || !other.done) {
    const oneKey = one.done ? undefined : keyOf(one.value)
    const otherKey = other.done ? undefined : keyOf(other.value)
    const key = oneKey === undefined || (otherKey !== undefined && otherKey < oneKey) ? (otherKey ?? '') : oneKey
    const pair = {
      key,
      one: !one.done && oneKey === key ? one.value : undefined,
      other: !other.done && otherKey === key ? other.value : undefined,
    }
    yield pair
    if (pair.one) one = await iterators.ones.next()
    if (pair.other) other = await iterators.others.next()
  }
}

function sameColumns(a: Columns, b: Columns): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...names].every((name) => sameValue(a[name], b[name]))
}

function sameValue(a: Columns[string], b: Columns[string]): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime()
  return a === b
}
