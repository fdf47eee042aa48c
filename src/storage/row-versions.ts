import type { TableClient } from '@azure/data-tables'
import { throwProblem } from '../base/problem'

/**
 * The layout of a table's rows, as whole numbers. `writes` stands in every row that is written, `reads` is the newest that this release
 * understands. Fields that are added with a default change neither (decision 35).
 */
export interface RowVersion {
  readonly reads: number
  readonly writes: number
}

const FIRST: RowVersion = { reads: 1, writes: 1 }

/**
 * The one list of what is not at its first version. A new layout takes two releases: one that reads it (`reads: 2`), and, once no
 * instance of an older one is left, one that writes it (`writes: 2`). So whatever a rolling deployment mixes, each reads what the other
 * writes.
 */
export const rowVersions: Readonly<Record<string, RowVersion>> = {}

/** Absent in rows of the first version, which are all there were before this column. */
export const ROW_VERSION = 'rowVersion'

const versions = new WeakMap<TableClient, RowVersion>()

/** Says of a table how its rows are laid out; without it they are of the first version. */
export function setRowVersion(table: TableClient, version: RowVersion | undefined): TableClient {
  if (version) versions.set(table, version)
  return table
}

export const rowVersionOf = (table: TableClient): RowVersion => versions.get(table) ?? FIRST

/**
 * Throws `written_by_newer_release` for a row that this release does not understand: to read it wrongly, and to write back what was read,
 * would lose what is in it.
 */
export function checkRowVersion(table: TableClient, columns: Readonly<Record<string, unknown>>): void {
  const version = columns[ROW_VERSION]
  if (version === undefined || (typeof version === 'number' && version <= rowVersionOf(table).reads)) return
  throwProblem(
    'written_by_newer_release',
    'A newer release of the platform has written what this one cannot read. Try again: an instance of that release may answer.',
  )
}
