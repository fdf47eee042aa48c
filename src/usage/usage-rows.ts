import { assert } from '../base/assert'
import type { LogBlobId } from '../metering/log-blob-name'
import type { Row } from '../storage/partition-table'
import type { UsageRow } from './roll-up'
import { fromUsageColumns, toUsageColumns, type UsageColumns } from './usage-columns'
import { decodeSketches, encodeSketches } from './usage-sketches'
import { groupFields, sumFields, zeroSums, type GroupSums, type UsageGroup } from './usage-sums'

export const MINUTE_MS = 60_000

/**
 * Rows of the usage table: how they are keyed and stored. A tenant's partition holds, in key order, each hour's minutes by
 * blob (`202611210159_<blob>_<part>`) and then, where the hour has been compacted, the hour itself (`2026112101~`).
 *
 * Q1 An hour's row names the blobs that it has taken in; their minute rows do not count any more, whether still there or not.
 *    So taking blobs in is one write of one row, and what removes the minute rows can die anywhere.
 * Q2 The hour comes after its minutes: whoever reads in key order and misses a minute row that was removed meanwhile is
 *    bound to meet the hour that has it.
 */

/** `2026112101` */
export const hourText = (ms: number) => minuteText(ms).slice(0, 10)
/** `20261121` */
export const dayText = (ms: number) => minuteText(ms).slice(0, 8)
export const startOfDayText = (text: string) =>
  Date.UTC(Number(text.slice(0, 4)), Number(text.slice(4, 6)) - 1, Number(text.slice(6, 8)))
/** `202611210159`, the start of every key of a row of that minute or later. */
export const minuteText = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace(/[-T:]/g, '')

export const minuteRowKey = ({ minute, blobId, part }: UsageRow) =>
  `${minuteText(minute * MINUTE_MS)}_${blobId}_${part}`
export const hourRowKey = (hourStartMs: number) => `${hourText(hourStartMs)}~`

/** Throws where the row does not fit, which the bounds of a part (roll-up.ts) see to. */
export function minuteColumns({ position, groups }: UsageRow): UsageColumns {
  const columns = toUsageColumns(encodeGroups(groups))
  assert(columns, 'a part of a minute of usage fits a row')
  return { position, ...columns }
}

/** As it is stored. What it was made of is several times larger, and need not be held while it is written. */
export interface MinuteRow extends Pick<UsageRow, 'tenantId' | 'minute' | 'position'> {
  readonly rowKey: string
  readonly columns: UsageColumns
}

export const minuteRow = (row: UsageRow): MinuteRow => ({
  tenantId: row.tenantId,
  minute: row.minute,
  position: row.position,
  rowKey: minuteRowKey(row),
  columns: minuteColumns(row),
})

/** Of two versions of a minute row the one that depends on more of its blob is right. */
export const isAsNewAs = (existing: UsageColumns, row: Pick<UsageRow, 'position'>) =>
  Number(existing['position']) >= row.position

export type StoredUsage =
  | {
      readonly kind: 'minute'
      readonly startMs: number
      readonly blobId: LogBlobId
      readonly groups: readonly GroupSums[]
    }
  | {
      readonly kind: 'hour'
      readonly startMs: number
      readonly blobIds: readonly LogBlobId[]
      readonly groups: readonly GroupSums[]
    }

export function readStored({ rowKey, columns }: Row<UsageColumns>): StoredUsage {
  if (rowKey.endsWith('~')) {
    const hour = fromUsageColumns<StoredHour>(columns)
    return {
      kind: 'hour',
      startMs: startOf(rowKey),
      blobIds: hour.blobs,
      groups: decodeGroups(hour.groups),
    }
  }
  const blobId = rowKey.slice(rowKey.indexOf('_') + 1, rowKey.lastIndexOf('_')) as LogBlobId
  return {
    kind: 'minute',
    startMs: startOf(rowKey),
    blobId,
    groups: decodeGroups(fromUsageColumns<StoredGroup[]>(columns)),
  }
}

/** Undefined where the hour does not fit a row; its minutes stay as they are then. */
export function hourColumns(hour: {
  blobIds: readonly LogBlobId[]
  groups: readonly GroupSums[]
}): UsageColumns | undefined {
  const stored: StoredHour = { blobs: hour.blobIds, groups: encodeGroups(hour.groups) }
  return toUsageColumns(stored)
}

interface StoredHour {
  readonly blobs: readonly LogBlobId[]
  readonly groups: readonly StoredGroup[]
}

/** The values of groupFields, then those of sumFields up to the last that is not zero, then those of sketchFields where there are any. */
export type StoredGroup = readonly [
  dimensions: readonly (string | null)[],
  sums: readonly number[],
  sketches?: readonly (readonly number[])[],
]

export const encodeGroups = (groups: readonly GroupSums[]): StoredGroup[] => groups.map(encodeGroup)
export const decodeGroups = (stored: readonly StoredGroup[]): GroupSums[] => stored.map(decodeGroup)

function encodeGroup({ group, sums, sketches }: GroupSums): StoredGroup {
  const dimensions = groupFields.map((field) => group[field])
  const numbers = sumFields.map((field) => sums[field])
  while (numbers.at(-1) === 0) numbers.pop()
  const encoded = encodeSketches(sketches)
  return encoded ? [dimensions, numbers, encoded] : [dimensions, numbers]
}

function decodeGroup([dimensions, numbers, sketches]: StoredGroup): GroupSums {
  const sums = zeroSums()
  sumFields.forEach((field, i) => (sums[field] = numbers[i] ?? 0))
  const group = Object.fromEntries(groupFields.map((field, i) => [field, dimensions[i] ?? null]))
  return { group: group as unknown as UsageGroup, sums, sketches: decodeSketches(sketches) }
}

function startOf(rowKey: string): number {
  const part = (from: number, to: number) => Number(rowKey.slice(from, to))
  const minute = rowKey.charAt(10) === '~' ? 0 : part(10, 12)
  return Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(8, 10), minute)
}
