import { changesMax, type PartitionTable, type RowChange } from '../storage/partition-table'
import { putNewer } from './put-newer'
import type { UsageColumns } from './usage-columns'
import { isAsNewAs, type MinuteRow } from './usage-rows'

/** Of one transaction, whose body may have 4 MiB; a row alone has less than half of this. */
const CHANGE_CHARACTERS_MAX = 2_500_000

/**
 * Writes rows of one tenant, each unless what is there depends on as much of the blob; `etags` remembers their tags. Together where
 * nobody else has written one of them, which is nearly always; one by one otherwise.
 */
export async function putRows(
  partition: PartitionTable<UsageColumns>,
  rows: readonly MinuteRow[],
  etags: Map<string, string>,
): Promise<void> {
  const etagKey = ({ tenantId, rowKey }: MinuteRow) => `${tenantId} ${rowKey}`
  for (const some of batchesOf(rows)) {
    if (some.length > 1) {
      const changes = some.map((row) => changeOf(row, etags.get(etagKey(row))))
      const result = await partition.change(changes)
      if (result.kind === 'written') {
        for (const [at, row] of some.entries()) etags.set(etagKey(row), textOfItsOwn(result.etags[at] ?? ''))
        continue
      }
    }
    for (const row of some) {
      const wanted = { ...row, etag: etags.get(etagKey(row)) }
      etags.set(etagKey(row), textOfItsOwn(await putNewer(partition, wanted, (existing) => isAsNewAs(existing, row))))
    }
  }
}

/** A tag is cut out of the whole answer that it came in, and would hold all of it. */
const textOfItsOwn = (etag: string) => Buffer.from(etag).toString()

const changeOf = ({ rowKey, columns }: MinuteRow, etag: string | undefined): RowChange<UsageColumns> =>
  etag === undefined ? { kind: 'insert', rowKey, columns } : { kind: 'replace', rowKey, columns, etag }

function batchesOf(rows: readonly MinuteRow[]): MinuteRow[][] {
  const batches: MinuteRow[][] = []
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
