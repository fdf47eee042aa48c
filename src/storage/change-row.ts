import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from './json-columns'
import type { Columns, PartitionTable } from './partition-table'

/** Those of one row whom somebody else can outrun before it is given up: each of them lost to a change that landed. */
const ATTEMPTS_MAX = 20

/**
 * What becomes of a row's document by `edit`, which is asked again with what is there whenever somebody was faster. The same value back,
 * undefined, or a problem changes nothing; what is given where nothing was is written anew. Throws where others go on changing it.
 * `changeRecord` does the same with sealed records.
 */
export async function changeRow<T, Denial extends Problem | undefined = undefined>(
  rows: Pick<PartitionTable<Columns>, 'get' | 'insert' | 'replace'>,
  rowKey: string,
  edit: (value: T | undefined) => T | Denial,
): Promise<T | Denial> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const row = await rows.get(rowKey)
    const before = row && fromJsonColumns<T>(row.columns)
    const next = edit(before)
    if (next === undefined || next instanceof Problem || next === before) return next
    const columns = toJsonColumns(next)
    const result = await (row ? rows.replace(rowKey, columns, row.etag) : rows.insert(rowKey, columns))
    if (result.kind === 'written') return next
  }
  throw new Error(`others are changing the row ${rowKey} at the moment`)
}
