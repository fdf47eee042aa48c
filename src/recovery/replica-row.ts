import { hash } from 'node:crypto'
import type { Columns } from '../storage/partition-table'

/** A row as it is at its source, without what the replica notes beside it. */
export interface ReplicaMarks {
  /** The source row's tag when it was copied: where it is the same still, so is the row. */
  readonly sourceTag: string
  /** Of the columns, and of the blob that they name: what comes back from the replica must have it. */
  readonly digest: string
  /** Unix milliseconds: since when the source has it no more. */
  readonly goneAtMs?: number | undefined
}

/** Of the marks' columns; no row of the platform's has such ones. */
export const markColumns = ['replicaSource', 'replicaDigest', 'replicaGoneAt'] as const

export const withMarks = (columns: Columns, { sourceTag, digest, goneAtMs }: ReplicaMarks): Columns => ({
  ...columns,
  replicaSource: sourceTag,
  replicaDigest: digest,
  // Milliseconds are too many for the 32 bits that a whole number is given.
  ...(goneAtMs === undefined ? {} : { replicaGoneAt: new Date(goneAtMs) }),
})

export function readMarks({ replicaSource, replicaDigest, replicaGoneAt }: Columns): ReplicaMarks {
  return {
    sourceTag: String(replicaSource),
    digest: String(replicaDigest),
    ...(replicaGoneAt instanceof Date ? { goneAtMs: replicaGoneAt.getTime() } : {}),
  }
}

/** The columns as they were at the source. */
export function withoutMarks(columns: Columns): Columns {
  const { replicaSource: _source, replicaDigest: _digest, replicaGoneAt: _goneAt, ...kept } = columns
  return kept
}

/** SHA-256 over the columns in the order of their names, and the blob's bytes; base64url. */
export function digestOf(columns: Columns, blob: Uint8Array | undefined): string {
  const parts = Object.keys(columns)
    .toSorted()
    .filter((name) => columns[name] !== undefined && columns[name] !== null)
    .map((name) => [name, textOf(columns[name])])
  return hash('sha256', JSON.stringify([parts, blob ? hash('sha256', blob, 'base64url') : null]), 'base64url')
}

function textOf(value: Columns[string]): string {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`
  return value instanceof Date ? `time ${value.toISOString()}` : `${typeof value} ${String(value)}`
}

/** The blob that a row of sealed records names; undefined where its bytes are in the row. */
export const blobNameOf = (rowKey: string, { blob }: Columns): string | undefined =>
  typeof blob === 'string' ? `${rowKey}/${blob}` : undefined
