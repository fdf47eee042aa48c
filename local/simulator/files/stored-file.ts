import { randomUUID } from 'node:crypto'
import { newHexId } from '../answer-id'
import type { JsonObject } from '../json-value'

/** A file that an account keeps. Times are Unix milliseconds. */
export interface StoredFile {
  readonly id: string
  readonly filename: string
  readonly purpose: string
  readonly bytes: Buffer
  readonly createdAt: number
  readonly expiresAt: number | undefined
  /** When it can be used. */
  readonly processedAt: number
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

export function fileStatus({ createdAt, processedAt }: StoredFile, now: number): 'pending' | 'running' | 'processed' {
  if (now >= processedAt) return 'processed'
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
    ...(file.expiresAt === undefined ? {} : { expires_at: Math.floor(file.expiresAt / 1_000) }),
  }
}
