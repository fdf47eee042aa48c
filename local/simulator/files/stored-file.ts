import { randomUUID } from 'node:crypto'
import { newHexId } from '../answer-id'
import type { JsonObject } from '../json-value'

/** A file that an account keeps. Times are Unix milliseconds. */
export interface StoredFile {
  readonly id: string
  readonly filename: string
  readonly purpose: string
  /** Empty as long as an import is under way. */
  bytes: Buffer
  readonly createdAt: number
  readonly expiresAt: number | undefined
  /** When it can be used; never, as long as its bytes are on their way. */
  processedAt: number
  /** Why it cannot be used. */
  failure?: string
}

/** What callers may upload. Source: the v1 specification; `batch_output` is made by the service only. */
export const uploadPurposes = ['fine-tune', 'batch', 'assistants', 'evals', 'user_data', 'vision'] as const

const MB = 1_024 * 1_024
export const FILE_BYTES_MAX = 512 * MB
export const BATCH_FILE_BYTES_MAX = 200 * MB
/** The bounds of an expiry, in seconds: 14 to 30 days. */
export const expirySeconds = { min: 1_209_600, max: 2_592_000 } as const

export const fileBytesMax = (purpose: string): number => (purpose === 'batch' ? BATCH_FILE_BYTES_MAX : FILE_BYTES_MAX)

/** Ids of files that callers made, and, with dashes, of those that the service made. */
export const newFileId = (by: 'caller' | 'service'): string =>
  by === 'caller' ? newHexId('file-', 32) : `file-${randomUUID()}`

export type FileStatus = 'pending' | 'running' | 'processed' | 'error'

export function fileStatus({ createdAt, processedAt, failure }: StoredFile, now: number): FileStatus {
  if (now >= processedAt) return failure === undefined ? 'processed' : 'error'
  return now < (createdAt + processedAt) / 2 ? 'pending' : 'running'
}

/** As the service shows it; its size is unknown until it is looked at. */
export function fileObject(file: StoredFile, now: number): JsonObject & { readonly id: string } {
  const status = fileStatus(file, now)
  return {
    id: file.id,
    object: 'file',
    bytes: status === 'pending' ? null : file.bytes.length,
    created_at: Math.floor(file.createdAt / 1_000),
    filename: file.filename,
    purpose: file.purpose,
    status,
    ...(status === 'error' ? { status_details: file.failure } : {}),
    ...(file.expiresAt === undefined ? {} : { expires_at: Math.floor(file.expiresAt / 1_000) }),
  }
}
