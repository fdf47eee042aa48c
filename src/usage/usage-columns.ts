import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns } from '../storage/partition-table'

/** A row of usage, or its position and the like beside what is here. */
export type UsageColumns = Columns

/** Longer documents are compressed: text takes two bytes a character in a table, and sums and sketches shrink to a third and less. */
const PLAIN_CHARACTERS_MAX = 30_000
/** A binary property holds 64 KiB. */
const CHUNK_BYTES = 64_000
/** 14 chunks stay below the 1 MiB of an entity, keys and other columns included. */
const PACKED_BYTES_MAX = 14 * CHUNK_BYTES

/** Undefined where the document does not fit a row. */
export function toUsageColumns(document: unknown): UsageColumns | undefined {
  const text = JSON.stringify(document)
  if (text.length <= PLAIN_CHARACTERS_MAX) return toJsonColumns(document)
  const packed = deflateRawSync(text)
  if (packed.length > PACKED_BYTES_MAX) return undefined
  const columns: UsageColumns = {}
  for (let start = 0, i = 0; start < packed.length; start += CHUNK_BYTES, i++)
    columns[`packed${i}`] = packed.subarray(start, start + CHUNK_BYTES)
  return columns
}

/** Reads what `toUsageColumns` wrote; the caller says of which type that was. */
export function fromUsageColumns<T>(columns: UsageColumns): T {
  const chunks: Uint8Array[] = []
  for (let chunk = columns['packed0']; chunk instanceof Uint8Array; chunk = columns[`packed${chunks.length}`])
    chunks.push(chunk)
  if (chunks.length === 0) return fromJsonColumns<T>(columns)
  return JSON.parse(inflateRawSync(Buffer.concat(chunks)).toString()) as T
}
