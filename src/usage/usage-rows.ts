import type { LogBlobId } from '../metering/log-blob-name'
import { documentCharactersMax, fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, Row } from '../storage/partition-table'
import type { UsageRow } from './roll-up'
import { groupFields, sumFields, zeroSums, type GroupSums, type UsageGroup } from './usage-sums'

/**
 * Rows of the usage table: how they are keyed and stored. A tenant's partition holds, in key order, each hour's minutes by
 * blob (`202611210159_<blob>_<part>`) and then, where the hour has been compacted, the hour itself (`2026112101~`).
 *
 * Q1 An hour's row names the blobs that it has taken in; their minute rows do not count any more, whether still there or not.
 *    So taking blobs in is one write of one row, and what removes the minute rows can die anywhere.
 * Q2 The hour comes after its minutes: whoever reads in key order and misses a minute row that was removed meanwhile is
 *    bound to meet the hour that has it.
 */
export type UsageColumns = Columns

export const MINUTE_MS = 60_000

/** `2026112101` */
export const hourText = (ms: number) => minuteText(ms).slice(0, 10)
/** `202611210159`, the start of every key of a row of that minute or later. */
export const minuteText = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace(/[-T:]/g, '')

export const minuteRowKey = ({ minute, blobId, part }: UsageRow) =>
  `${minuteText(minute * MINUTE_MS)}_${blobId}_${part}`
export const hourRowKey = (hourStartMs: number) => `${hourText(hourStartMs)}~`

export const minuteColumns = ({ position, groups }: UsageRow): UsageColumns => ({
  position,
  ...toJsonColumns(groups.map(encodeGroup)),
})

/** Of two versions of a minute row the one that depends on more of its blob is right. */
export const isAsNewAs = (existing: UsageColumns, row: UsageRow) => Number(existing['position']) >= row.position

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
    const hour = fromJsonColumns<StoredHour>(columns)
    return {
      kind: 'hour',
      startMs: startOf(rowKey),
      blobIds: hour.blobs,
      groups: hour.groups.map(decodeGroup),
    }
  }
  const blobId = rowKey.slice(rowKey.indexOf('_') + 1, rowKey.lastIndexOf('_')) as LogBlobId
  return {
    kind: 'minute',
    startMs: startOf(rowKey),
    blobId,
    groups: fromJsonColumns<StoredGroup[]>(columns).map(decodeGroup),
  }
}

/** Undefined where the hour does not fit a row; its minutes stay as they are then. */
export function hourColumns(hour: {
  blobIds: readonly LogBlobId[]
  groups: readonly GroupSums[]
}): UsageColumns | undefined {
  const stored: StoredHour = { blobs: hour.blobIds, groups: hour.groups.map(encodeGroup) }
  return JSON.stringify(stored).length > documentCharactersMax ? undefined : toJsonColumns(stored)
}

interface StoredHour {
  readonly blobs: readonly LogBlobId[]
  readonly groups: readonly StoredGroup[]
}

/** The values of groupFields, then those of sumFields. */
type StoredGroup = readonly [dimensions: readonly (string | null)[], sums: readonly number[]]

const encodeGroup = ({ group, sums }: GroupSums): StoredGroup => [
  groupFields.map((field) => group[field]),
  sumFields.map((field) => sums[field]),
]

function decodeGroup([dimensions, numbers]: StoredGroup): GroupSums {
  const sums = zeroSums()
  sumFields.forEach((field, i) => (sums[field] = numbers[i] ?? 0))
  const group = Object.fromEntries(groupFields.map((field, i) => [field, dimensions[i] ?? null]))
  return { group: group as unknown as UsageGroup, sums }
}

function startOf(rowKey: string): number {
  const part = (from: number, to: number) => Number(rowKey.slice(from, to))
  const minute = rowKey.charAt(10) === '~' ? 0 : part(10, 12)
  return Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(8, 10), minute)
}
