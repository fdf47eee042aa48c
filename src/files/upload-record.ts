import type { CallerId, FileId, UploadId, UploadPartId } from '../base/ids'
import { removeRecords } from '../encryption/record-ranges'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import type { Piece } from './contents'
import { UPLOAD_VALID_MS } from './file-bounds'
import { fileView, type FileRecord, type UploadPurpose } from './file-record'

/** A file that comes in parts. */
export interface UploadRecord {
  readonly id: UploadId
  readonly filename: string
  readonly purpose: UploadPurpose
  /** Promised, and kept to. */
  readonly bytes: number
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly createdBy: CallerId
  readonly expiresAfterSeconds: number | undefined
  readonly state:
    | { readonly kind: 'pending' | 'cancelled' | 'expired' }
    /** Decided: whatever breaks off now, this file comes of it. */
    | {
        readonly kind: 'completed'
        readonly fileId: FileId
        readonly at: number
        readonly parts: readonly UploadPart[]
      }
}

export interface UploadPart {
  readonly id: UploadPartId
  readonly piece: Piece
  readonly bytes: number
}

/** Unix milliseconds. */
const uploadExpiresAt = ({ createdAt }: UploadRecord): number => createdAt + UPLOAD_VALID_MS

/** A pending upload whose time is over is expired, whether anybody has noted it or not. */
export function uploadStatus(upload: UploadRecord, nowMs: number): 'pending' | 'completed' | 'cancelled' | 'expired' {
  const { kind } = upload.state
  return kind === 'pending' && nowMs >= uploadExpiresAt(upload) ? 'expired' : kind
}

/** As clients see it. Source: OpenAI's `Upload`. */
export const uploadView = (upload: UploadRecord, nowMs: number, file?: FileRecord) => ({
  id: upload.id,
  object: 'upload' as const,
  bytes: upload.bytes,
  created_at: Math.floor(upload.createdAt / 1_000),
  filename: upload.filename,
  purpose: upload.purpose,
  status: uploadStatus(upload, nowMs),
  expires_at: Math.floor(uploadExpiresAt(upload) / 1_000),
  ...(file ? { file: fileView(file) } : {}),
})

/** Source: OpenAI's `UploadPart`. */
export const uploadPartView = (uploadId: UploadId, { id }: UploadPart, nowMs: number) => ({
  id,
  object: 'upload.part' as const,
  created_at: Math.floor(nowMs / 1_000),
  upload_id: uploadId,
})

/** Uploads and their parts, sealed. */
export interface UploadStore {
  get(scope: TenantScope, id: UploadId): Promise<{ readonly upload: UploadRecord; readonly etag: string } | undefined>
  insert(scope: TenantScope, upload: UploadRecord): Promise<void>
  /** False where somebody else has changed it since. */
  replace(scope: TenantScope, upload: UploadRecord, etag: string): Promise<boolean>
  addPart(scope: TenantScope, id: UploadId, part: UploadPart): Promise<void>
  removePart(scope: TenantScope, id: UploadId, part: UploadPartId): Promise<void>
  parts(scope: TenantScope, id: UploadId): AsyncIterable<UploadPart>
  /** With the records of its parts. */
  remove(scope: TenantScope, id: UploadId): Promise<void>
}

/** Of an id what stands behind its prefix: it names contents too. */
export const bodyOf = (id: UploadId | UploadPartId): string => id.slice(-26)
const recordIdOf = (id: UploadId) => `upload-${bodyOf(id)}`
const partsOf = (id: UploadId) => `uploadpart-${bodyOf(id)}-`

export function createUploadStore(
  records: Pick<SealedRecords, 'get' | 'putIfAbsent' | 'replace' | 'put' | 'remove' | 'values' | 'ids'>,
): UploadStore {
  return {
    get: async (scope, id) => {
      const found = await records.get<UploadRecord>(scope, recordIdOf(id))
      return found && { upload: found.value, etag: found.etag }
    },
    insert: async (scope, upload) => {
      const result = await records.putIfAbsent(scope, recordIdOf(upload.id), upload)
      if (result.kind === 'lost-race') throw new Error(`${upload.id} is taken`)
    },
    replace: async (scope, upload, etag) =>
      (await records.replace(scope, recordIdOf(upload.id), upload, etag)).kind === 'written',
    addPart: (scope, id, part) => records.put(scope, partsOf(id) + bodyOf(part.id), part),
    removePart: (scope, id, part) => records.remove(scope, partsOf(id) + bodyOf(part)),
    async *parts(scope, id) {
      for await (const { value } of records.values<UploadPart>(scope, partsOf(id))) yield value
    },
    remove: async (scope, id) => {
      await removeRecords(records, scope, [partsOf(id)])
      await records.remove(scope, recordIdOf(id))
    },
  }
}
