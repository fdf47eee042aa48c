import type { Clock } from '../base/clock'
import type { FileId } from '../base/ids'
import { Problem } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import type { Contents } from './contents'
import type { Copies } from './copies'
import type { Drafts } from './drafts'
import { CLEARING_MARGIN_MS } from './file-bounds'
import { isThere, recordOf, type FileStore, type StoredFile } from './file-store'
import type { FilePage, FileQuery, Files } from './files'
import { deletionBegun, ended } from './shelf'
import type { Shelves } from './shelves'

export interface FilesDeps {
  readonly shelves: Shelves
  readonly contents: Contents
  readonly store: FileStore
  readonly drafts: Drafts
  readonly copies: Copies
  readonly clock: Clock
}

export function createFiles(deps: FilesDeps): Files {
  const { contents, store, drafts, copies, clock } = deps
  const there = async (scope: TenantScope, id: FileId) => {
    const file = await store.get(scope, id)
    return file && isThere(file, clock.now()) ? file : undefined
  }
  const opened = (scope: TenantScope, file: StoredFile) => ({
    record: recordOf(file),
    content: contents.read(scope, file.pieces),
  })

  return {
    create: async (scope, { id, bytesAtMost, ...file }, content) => {
      const known = id && (await there(scope, id))
      if (known) return recordOf(known)
      const draft = await drafts.begin(scope, { id, bytesAtMost })
      if (draft instanceof Problem) return draft
      try {
        return (await draft.write(content, file.purpose)) ?? (await draft.finish(file))
      } finally {
        await draft.abandon()
      }
    },
    get: async (scope, id) => {
      const file = await there(scope, id)
      return file && recordOf(file)
    },
    list: (scope, query) => list(deps, scope, query),
    remove: async (scope, id) => {
      const file = await there(scope, id)
      if (!file) return false
      await removeFile(deps, scope, file)
      return true
    },
    read: async (scope, id) => {
      const file = await there(scope, id)
      return file && opened(scope, file)
    },
    stage: async (scope, id, backend, staging) => {
      const file = await there(scope, id)
      if (!file) return { kind: 'missing' }
      const content = () => contents.read(scope, file.pieces)
      return copies.stage(scope, { record: recordOf(file), content }, backend, staging)
    },
    unstage: (scope, owner) => copies.removeFor(scope, owner),
  }
}

/** From the intent on: a crash leaves what the sweep goes on with. */
export async function removeFile(deps: RemovalDeps, scope: TenantScope, { id, bytes }: StoredFile): Promise<void> {
  // One that stands there already broke off, or is under way: going on with it is as good.
  await deps.shelves.change(scope, (shelf) => {
    const next = deletionBegun(shelf, { id, bytes, until: deps.clock.now() + CLEARING_MARGIN_MS })
    return { shelf: next ?? shelf, answer: undefined }
  })
  await endRemoval(deps, scope, id)
}

type RemovalDeps = Pick<FilesDeps, 'shelves' | 'contents' | 'store' | 'copies' | 'clock'>

/**
 * What is left to do of a deletion that stands on the shelf: nobody sees the file, then its content goes, then its copies, its
 * record and the entry. Each step can be repeated. True where all of it is gone; a copy's account may not answer.
 */
export async function endRemoval(
  { shelves, contents, store, copies }: Omit<RemovalDeps, 'clock'>,
  scope: TenantScope,
  id: FileId,
): Promise<boolean> {
  const file = await store.hide(scope, id)
  if (file) await contents.remove(scope, file.pieces)
  const copiesRemoved = await copies.removeOf(scope, id)
  // Its record says nothing more; a copy that is left is found by its own.
  await store.remove(scope, id)
  if (copiesRemoved.kind !== 'gone') return false
  await shelves.change(scope, (shelf) => ({ shelf: ended(shelf, id), answer: undefined }))
  return true
}

/** The oldest first is the same list from its end: a tenant has at most `TENANT_FILES_MAX`. */
async function list({ store, clock }: FilesDeps, scope: TenantScope, query: FileQuery): Promise<FilePage> {
  const { purpose, limit, order, after } = query
  const nowMs = clock.now()
  const isWanted = (file: StoredFile) => isThere(file, nowMs) && (purpose === undefined || file.purpose === purpose)
  let found: StoredFile[] = []
  if (order === 'desc') {
    for await (const file of store.newestFirst(scope, after)) {
      if (isWanted(file)) found.push(file)
      if (found.length > limit) break
    }
  } else {
    for await (const file of store.newestFirst(scope)) {
      if (after !== undefined && file.id <= after) break
      if (isWanted(file)) found.push(file)
    }
    found = found.toReversed()
  }
  return { files: found.slice(0, limit).map(recordOf), hasMore: found.length > limit }
}
