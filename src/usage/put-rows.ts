import { changesMax, type PartitionTable, type RowChange } from '../storage/partition-table'
import { putNewer } from './put-newer'
import type { UsageRow } from './roll-up'
import type { UsageColumns } from './usage-columns'
import { isAsNewAs, minuteColumns, minuteRowKey } from './usage-rows'

/** Of one transaction, whose body may have 4 MiB; a row alone has less than half of this. */
const CHANGE_CHARACTERS_MAX = 2_500_000

/**
 * Writes rows of one tenant, each unless what is there depends on as much of the blob; `etags` remembers their tags. Together where
 * nobody else has written one of them, which is nearly always; one by one otherwise.
 */
export async function putRows(
  partition: PartitionTable<UsageColumns>,
  rows: readonly UsageRow[],
  etags: Map<string, string>,
): Promise<void> {
  const etagKey = (row: UsageRow) => `${row.tenantId} ${minuteRowKey(row)}`
  for (const some of batchesOf(rows.map((row) => ({ row, columns: minuteColumns(row) })))) {
    if (some.length > 1) {
      const changes = some.map(({ row, columns }) => changeOf(minuteRowKey(row), columns, etags.get(etagKey(row))))
      const result = await partition.change(changes)
      if (result.kind === 'written') {
        for (const [at, { row }] of some.entries()) etags.set(etagKey(row), result.etags[at] ?? '')
        continue
      }
    }
    for (const { row, columns } of some) {
      const wanted = { rowKey: minuteRowKey(row), columns, etag: etags.get(etagKey(row)) }
      etags.set(etagKey(row), await putNewer(partition, wanted, (existing) => isAsNewAs(existing, row)))
    }
  }
}

const changeOf = (rowKey: string, columns: UsageColumns, etag: string | undefined): RowChange<UsageColumns> =>
  etag === undefined ? { kind: 'insert', rowKey, columns } : { kind: 'replace', rowKey, columns, etag }

function batchesOf<T extends { readonly columns: UsageColumns }>(rows: readonly T[]): T[][] {
  const batches: T[][] = []
  let characters = Infinity
  for (const row of rows) {
    const size = charactersOf(row.columns)
    const last = batches.at(-1)
    if (last && last.length < changesMax && characters + size <= CHANGE_CHARACTERS_MAX) {
      last.push(row)
      characters += size
    } else {
      batches.push([row])
      characters = size
    }
  }
  return batches
}

/** As they are sent: JSON, with bytes in base64. Texts of ours have next to no characters that take more than one byte. */
const charactersOf = (columns: UsageColumns): number =>
  Object.values(columns).reduce<number>(
    (sum, value) => sum + (value instanceof Uint8Array ? value.length * 1.4 : String(value).length * 1.4),
    0,
  )
