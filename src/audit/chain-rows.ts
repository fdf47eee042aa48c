import { assert } from '../base/assert'
import type { Columns, Row } from '../storage/partition-table'
import type { ChainHead } from './audit-entry'
import type { AuditEntry } from './audit-log'

/**
 * Rows of the table `audit`: partition = tenant or the platform. Each entry is a row `entry` under its number, and the
 * row `head` tells the last number and hash, since a partition cannot be read from its end.
 */
export const auditStorage = { tables: ['audit'] } as const

/** Behind every number, which is digits. */
export const HEAD_ROW = 'head'
const SEQUENCE_DIGITS = 15

export const rowKeyOf = (sequence: number) => String(sequence).padStart(SEQUENCE_DIGITS, '0')

export function readHead({ columns }: Row<Columns>): ChainHead {
  const { sequence, hash } = columns
  assert(typeof sequence === 'number' && typeof hash === 'string', 'an audit chain’s head has a number and a hash')
  return { sequence, hash }
}

/** As it was written, checked by nobody: whether it still is that is what `verifyChain` finds out. */
export function readEntry({ columns, rowKey }: Row<Columns>): AuditEntry {
  const { entry } = columns
  assert(typeof entry === 'string', `the audit row ${rowKey} holds an entry`)
  return JSON.parse(entry) as AuditEntry
}
