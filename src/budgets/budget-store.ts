import type { InstanceId, KeyId } from '../base/ids'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { BudgetState, Holder, HourSpend } from './budget-state'

/** Whose budgets: the tenant's own, or those of one of its keys or aliases. Each has a row of its own. */
export type BudgetSubject =
  | { readonly kind: 'tenant' }
  | { readonly kind: 'key'; readonly keyId: KeyId }
  | { readonly kind: 'alias'; readonly alias: string }

/** Where budgets are kept: a row is changed only by whoever has seen its last version. */
export interface BudgetStore {
  read(scope: TenantScope, subject: BudgetSubject): Promise<StoredBudget | undefined>
  /** Without a tag the row must not exist yet. What was thrown says nothing of whether the write has landed. */
  write(
    scope: TenantScope,
    subject: BudgetSubject,
    change: { readonly state: BudgetState; readonly tag: string | undefined },
  ): Promise<BudgetWritten>
}

export interface StoredBudget {
  readonly state: BudgetState
  readonly tag: string
}

export type BudgetWritten = { readonly kind: 'written'; readonly tag: string } | { readonly kind: 'lost-race' }

/** Rows of a tenant's partition: `tenant`, `key_…` and `alias.…`, none of which can be taken for another. */
export function subjectName(subject: BudgetSubject): string {
  switch (subject.kind) {
    case 'tenant':
      return 'tenant'
    case 'key':
      return subject.keyId
    case 'alias':
      return `alias.${subject.alias}`
  }
}

export function tableBudgetStore(table: TenantTable<Columns>): BudgetStore {
  return {
    read: async (scope, subject) => {
      const row = await table.get(scope, subjectName(subject))
      return row && { state: decodeBudget(fromJsonColumns<StoredRow>(row.columns)), tag: row.etag }
    },
    write: async (scope, subject, { state, tag }) => {
      const columns = toJsonColumns(encodeBudget(state))
      const rowKey = subjectName(subject)
      const result = await (tag === undefined
        ? table.insert(scope, rowKey, columns)
        : table.replace(scope, rowKey, columns, tag))
      return result.kind === 'written' ? { kind: 'written', tag: result.etag } : result
    },
  }
}

/** Short, since it is written every few seconds: an hour is `[hour, tokens, microUsd]`. */
export interface StoredRow {
  readonly version: 1
  readonly asOf: number
  readonly trueUpTo: number
  readonly spent: readonly StoredSpend[]
  readonly holders: Readonly<Record<InstanceId, StoredHolder>>
}

type StoredSpend = readonly [hour: number, tokens: number, microUsd: number]

interface StoredHolder {
  readonly expires: number
  readonly lease: readonly [tokens: number, microUsd: number]
  readonly spent: readonly StoredSpend[]
  readonly foldedTo: number
}

export function encodeBudget({ asOfMs, trueUpToHour, spent, holders }: BudgetState): StoredRow {
  const encodeHolder = ({ expiresAtMs, lease, spent: own, foldedToHour }: Holder): StoredHolder => ({
    expires: expiresAtMs,
    lease: [lease.tokens, lease.microUsd],
    spent: own.map(encodeSpend),
    foldedTo: foldedToHour,
  })
  return {
    version: 1,
    asOf: asOfMs,
    trueUpTo: trueUpToHour,
    spent: spent.map(encodeSpend),
    holders: Object.fromEntries([...holders].map(([id, holder]) => [id, encodeHolder(holder)])),
  }
}

/** Throws on a version it does not know: a budget nobody can read must not admit. */
export function decodeBudget(row: StoredRow): BudgetState {
  if (row.version !== 1) throw new Error(`budget row has version ${String(row.version)}; this code reads 1`)
  const decodeHolder = ({ expires, lease, spent, foldedTo }: StoredHolder): Holder => ({
    expiresAtMs: expires,
    lease: { tokens: lease[0], microUsd: lease[1] },
    spent: spent.map(decodeSpend),
    foldedToHour: foldedTo,
  })
  const holders = Object.entries(row.holders).map(([id, holder]) => [id as InstanceId, decodeHolder(holder)] as const)
  return {
    asOfMs: row.asOf,
    trueUpToHour: row.trueUpTo,
    spent: row.spent.map(decodeSpend),
    holders: new Map(holders),
  }
}

const encodeSpend = ({ hour, tokens, microUsd }: HourSpend): StoredSpend => [hour, tokens, microUsd]
const decodeSpend = ([hour, tokens, microUsd]: StoredSpend): HourSpend => ({ hour, tokens, microUsd })
