import type { CallerId, FileId, LinkUploadId } from '../base/ids'
import { changeRecord } from '../encryption/change-record'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import { LINK_UPLOAD_VALID_MS } from './file-bounds'

/** A file that its client writes to storage itself, in blocks that it can put again, by a link to one blob. Times are Unix milliseconds. */
export interface LinkUpload {
  readonly id: LinkUploadId
  /** Of what comes of it, known from the beginning: taken in again after a crash it makes the same file. */
  readonly fileId: FileId
  readonly filename: string
  readonly purpose: 'fine-tune'
  /** Promised, and then kept to. */
  readonly bytes?: number | undefined
  readonly createdAt: number
  readonly createdBy: CallerId
  readonly state: LinkUploadState
}

export type LinkUploadState =
  /** Its client may write. */
  | { readonly kind: 'open' }
  /** Its client has said that all is there. */
  | { readonly kind: 'taking'; readonly atMs: number }
  /** It is a file, and the blob is gone. */
  | { readonly kind: 'taken'; readonly atMs: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** By its client, or since nobody completed it in time. */
  | { readonly kind: 'abandoned' | 'expired' }

/** Until when it can be completed. */
export const linkUploadEndsAt = ({ createdAt }: Pick<LinkUpload, 'createdAt'>): number =>
  createdAt + LINK_UPLOAD_VALID_MS

/** Sealed: a file's name may say much. */
export interface LinkUploadStore {
  get(scope: TenantScope, id: LinkUploadId): Promise<LinkUpload | undefined>
  /** False where there is one of this id. */
  insert(scope: TenantScope, upload: LinkUpload): Promise<boolean>
  /** Asks again with what is there whenever somebody was faster; the same value back changes nothing. Undefined for none. */
  change(
    scope: TenantScope,
    id: LinkUploadId,
    edit: (upload: LinkUpload) => LinkUpload,
  ): Promise<LinkUpload | undefined>
  remove(scope: TenantScope, id: LinkUploadId): Promise<void>
}

const recordIdOf = (id: LinkUploadId) => `linkuploads-${id.slice('upl_'.length)}`

export function createLinkUploadStore(
  records: Pick<SealedRecords, 'get' | 'putIfAbsent' | 'replace' | 'remove'>,
): LinkUploadStore {
  return {
    get: async (scope, id) => (await records.get<LinkUpload>(scope, recordIdOf(id)))?.value,
    insert: async (scope, upload) =>
      (await records.putIfAbsent(scope, recordIdOf(upload.id), upload)).kind === 'written',
    change: (scope, id, edit) =>
      changeRecord<LinkUpload>(records, scope, recordIdOf(id), (value) => value && edit(value)),
    remove: (scope, id) => records.remove(scope, recordIdOf(id)),
  }
}
