import type { InstanceId } from '../base/ids'

/** The container of every instance's log blobs. */
export const usageLogContainer = 'usage-log'

export const HOUR_MS = 3_600_000

/** Names a log blob in table keys, where a blob name's slashes are not allowed: `2026112101-ins_…-000001`. */
export type LogBlobId = `${number}-${'ins_' | 'late-'}${string}`

/**
 * `{yyyy}/{MM}/{dd}/{HH}/{instanceId}-{sequence}.log`, hours in UTC. The hour is the one in which the blob was made, so a
 * reader finds what may still grow by listing few folders. Unique without asking anyone: an instance id is new per process.
 */
export function logBlobName(atMs: number, instanceId: InstanceId, sequence: number): string {
  return `${hourPrefix(atMs)}${instanceId}-${String(sequence).padStart(6, '0')}.log`
}

/** Of usage that became known later (`LateUsage`): the same name for the same claim, whoever writes it. */
export const lateLogBlobName = (atMs: number, id: string, sequence: number): string =>
  `${hourPrefix(atMs)}late-${id}-${sequence}.log`

/** The folder of the hour that `atMs` lies in, with its slash at the end. */
export const hourPrefix = (atMs: number) => `${new Date(atMs).toISOString().slice(0, 13).replace(/[-T]/g, '/')}/`

/** The folder of all hours of the day that `atMs` lies in. */
export const dayPrefix = (atMs: number) => hourPrefix(atMs).slice(0, 11)

const NAME = /^(\d{4})\/(\d{2})\/(\d{2})\/(\d{2})\/((?:ins_|late-)[^/]+)\.log$/

/** Undefined for a blob that is not of this log. */
export function parseLogBlobName(name: string): { blobId: LogBlobId; hourStartMs: number } | undefined {
  const [, year, month, day, hour, file] = NAME.exec(name) ?? []
  if (file === undefined) return undefined
  const hourStartMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour))
  return { blobId: `${year}${month}${day}${hour}-${file}` as LogBlobId, hourStartMs }
}

/** The hour of a blob's folder as its id carries it: `2026112101`. */
export const hourOfBlobId = (blobId: LogBlobId) => blobId.slice(0, 10)
