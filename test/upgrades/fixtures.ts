import type { StorageAccount } from '../../src/storage/connect'
import type { Columns } from '../../src/storage/partition-table'

/**
 * The rows of this release, which every later one must read: made by
 * `TENANTRY_WRITE_FIXTURES=true npx jest test/upgrades`, and committed with the release that first writes them so. A file of
 * rows is not written again; a new layout gets one of its own beside it.
 */
export const WRITES_FIXTURES = process.env['TENANTRY_WRITE_FIXTURES'] === 'true'

export interface StoredRow {
  readonly table: string
  readonly partitionKey: string
  readonly rowKey: string
  readonly columns: Readonly<Record<string, unknown>>
}

/** Everything in the tables, in a fixed order. */
export async function rowsOf(storage: StorageAccount): Promise<StoredRow[]> {
  const rows: StoredRow[] = []
  for (const table of (await storage.tableNames()).sort()) {
    for await (const entity of storage.table(table).listEntities<Columns>()) {
      const { partitionKey = '', rowKey = '', etag: _, timestamp: __, 'odata.metadata': ___, ...columns } = entity
      rows.push({ table, partitionKey, rowKey, columns: mapped(columns, toText) })
    }
  }
  return rows
}

export async function putRows(storage: StorageAccount, rows: readonly StoredRow[]): Promise<void> {
  for (const { table, partitionKey, rowKey, columns } of rows) {
    await storage.table(table).createEntity({ partitionKey, rowKey, ...mapped(columns, fromText) })
  }
}

const mapped = (columns: object, of: (value: unknown) => unknown) =>
  Object.fromEntries(Object.entries(columns).map(([name, value]) => [name, of(value)]))

/** What JSON has no word for. */
function toText(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('base64') }
  if (typeof value === 'bigint') return { int64: String(value) }
  return value instanceof Date ? { date: value.toISOString() } : value
}

function fromText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { bytes, int64, date } = value as { bytes?: string; int64?: string; date?: string }
  if (bytes !== undefined) return Buffer.from(bytes, 'base64')
  return int64 === undefined ? new Date(date ?? 0) : BigInt(int64)
}
