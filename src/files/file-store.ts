import { counterpartOf, parseFileId, type FileId } from '../base/ids'
import { changeRecord } from '../encryption/change-record'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import type { Piece } from './contents'
import type { FileRecord } from './file-record'

/** A file's record as it is kept, sealed: its name may say much. */
export interface StoredFile extends FileRecord {
  readonly pieces: readonly Piece[]
  /** It goes, and only the deletion still sees it. */
  readonly isGoing?: true
}

export interface FileStore {
  get(scope: TenantScope, id: FileId): Promise<StoredFile | undefined>
  /** False where there is one of this id, whatever it is. */
  insert(scope: TenantScope, file: StoredFile): Promise<boolean>
  /** From now on nobody sees it; what there is of it, or undefined for nothing. */
  hide(scope: TenantScope, id: FileId): Promise<StoredFile | undefined>
  remove(scope: TenantScope, id: FileId): Promise<void>
  /** The newest first, those that are expired or going too; behind `after`, whether it is there or not. */
  newestFirst(scope: TenantScope, after?: FileId): AsyncIterable<StoredFile>
}

const PREFIX = 'file-'

export const recordIdOf = (id: FileId) => PREFIX + counterpartOf(id.slice(PREFIX.length))

export function createFileStore(
  records: Pick<SealedRecords, 'get' | 'putIfAbsent' | 'replace' | 'remove' | 'values'>,
): FileStore {
  return {
    get: async (scope, id) => (await records.get<StoredFile>(scope, recordIdOf(id)))?.value,
    insert: async (scope, file) => (await records.putIfAbsent(scope, recordIdOf(file.id), file)).kind === 'written',
    hide: (scope, id) =>
      changeRecord<StoredFile>(
        records,
        scope,
        recordIdOf(id),
        (file) => file && (file.isGoing ? file : { ...file, isGoing: true }),
      ),
    remove: (scope, id) => records.remove(scope, recordIdOf(id)),
    async *newestFirst(scope, after) {
      const from = after === undefined ? undefined : recordIdOf(after)
      for await (const { value } of records.values<StoredFile>(scope, PREFIX, from))
        if (parseFileId(value.id)) yield value
    },
  }
}

/** Whether its tenant sees it. */
export const isThere = ({ isGoing, expiresAt }: StoredFile, nowMs: number): boolean =>
  !isGoing && (expiresAt === undefined || expiresAt > nowMs)

/** Without what only the store knows. */
export function recordOf({ pieces: _, isGoing: __, ...record }: StoredFile): FileRecord {
  return record
}
