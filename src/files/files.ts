import type { CallerId, FileId } from '../base/ids'
import type { Problem } from '../base/problem'
import type { Backend } from '../routing/backend'
import type { TenantScope } from '../storage/tenant-scope'
import type { FilePurpose, FileRecord } from './file-record'

/**
 * A tenant's files. Their content lies sealed in the tenant's own data place; an account of Azure gets a copy only for as
 * long as a batch, a training or a prompt needs it there, and every copy is known. A file of another tenant, one that has
 * expired and one that never was are all alike: undefined.
 */
export interface Files {
  /** Reads the content to its end; a file is there with all of its content or not at all. Rejects as `content` does. */
  create(scope: TenantScope, file: NewFile, content: AsyncIterable<Uint8Array>): Promise<FileRecord | Problem>
  get(scope: TenantScope, id: FileId): Promise<FileRecord | undefined>
  list(scope: TenantScope, query: FileQuery): Promise<FilePage>
  /** With its content and every copy of it; false where there was none. A copy whose account does not answer goes later. */
  remove(scope: TenantScope, id: FileId): Promise<boolean>
  /** The content is opened piece by piece as it is read; one that is deleted meanwhile breaks off with an error. */
  read(scope: TenantScope, id: FileId): Promise<FileContent | undefined>
  /** Puts a copy at the backend's account. Asked again for the same `owner` and backend it finds the copy that it made. */
  stage(scope: TenantScope, id: FileId, backend: Backend, staging: Staging): Promise<StageResult>
  /** Deletes every copy that was made for `owner`. `unsure` while an account does not answer: ask again. */
  unstage(scope: TenantScope, owner: string): Promise<UnstageResult>
}

export interface NewFile {
  /** A new one where absent. Given by who may have to repeat the creation: a file that has it already is the answer. */
  readonly id?: FileId
  readonly filename: string
  readonly purpose: FilePurpose
  /** From its creation. */
  readonly expiresAfterSeconds?: number | undefined
  readonly createdBy: CallerId | undefined
  /** An upper bound that is known before the content is: room is kept for it. */
  readonly bytesAtMost?: number | undefined
}

export interface FileQuery {
  readonly purpose?: string | undefined
  /** 1 to `FILES_PAGE_MAX`. */
  readonly limit: number
  /** By time of creation. */
  readonly order: 'asc' | 'desc'
  /** Those behind this one, which may be deleted already. */
  readonly after?: FileId | undefined
}

export interface FilePage {
  readonly files: readonly FileRecord[]
  readonly hasMore: boolean
}

export interface FileContent {
  readonly record: FileRecord
  readonly content: AsyncIterable<Buffer>
}

export interface Staging {
  /** What needs the copy: the batch's or job's id. At most one copy of a file for each owner and backend. */
  readonly owner: string
  readonly purpose: 'batch' | 'fine-tune' | 'assistants' | 'user_data'
  /** What the account gets instead; it has to make the same bytes each time. */
  readonly transform?: (content: AsyncIterable<Buffer>) => AsyncIterable<Uint8Array>
}

export type StageResult =
  /** `id` is the account's, and never shown to clients. */
  | { readonly kind: 'staged'; readonly id: string }
  /** The account has it and looks through it still. */
  | { readonly kind: 'processing'; readonly againMs: number }
  /** The tenant has no such file (any more). */
  | { readonly kind: 'missing' }
  /** The account will not have it, now or later. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** No answer, or one that says to come again. */
  | { readonly kind: 'unsure'; readonly detail: string; readonly againMs: number }

export type UnstageResult =
  { readonly kind: 'gone' } | { readonly kind: 'unsure'; readonly detail: string; readonly againMs: number }
