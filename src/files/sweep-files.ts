import { assertNever } from '../base/assert'
import { parseFileId, parseLinkUploadId, parseTenantId, parseUploadId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { fromJsonColumns } from '../storage/json-columns'
import type { TenantsRows } from '../storage/tenants-rows'
import { TenantScope } from '../storage/tenant-scope'
import { endRemoval, removeFile, type FilesDeps } from './create-files'
import { isThere } from './file-store'
import type { LentCopies } from './lent-copies'
import type { LinkUploads } from './link-uploads'
import { dueAt, ended, settled, turned, type Shelf, type UnderWay } from './shelf'
import { SHELF_ROW } from './shelves'
import { bodyOf, type UploadRecord, type UploadStore } from './upload-record'
import { endCompletion } from './uploads'

export interface SweepFilesDeps extends FilesDeps {
  readonly uploads: UploadStore
  readonly linkUploads: Pick<LinkUploads, 'clear'>
  readonly lent: Pick<LentCopies, 'takeBack'>
  /** The one reader of all tenants' shelves (I4): numbers, times and ids. */
  readonly everyShelf: TenantsRows
  readonly log: Log
}

/**
 * Ends what was begun and broke off, and deletes what has expired; of how many tenants there was something to do. Late, twice at
 * once or broken off itself: each of its steps can be repeated.
 */
export async function sweepFiles(deps: SweepFilesDeps): Promise<number> {
  let swept = 0
  for await (const { tenantId, columns } of deps.everyShelf(SHELF_ROW)) {
    const shelf = fromJsonColumns<Shelf>(columns)
    const owner = parseTenantId(tenantId)
    if (!owner || (dueAt(shelf) ?? Infinity) > deps.clock.now()) continue
    swept++
    try {
      await sweepTenant(deps, TenantScope.ofPlatform(owner), shelf)
    } catch (error) {
      // Of one whose data is being moved or deleted, say; the next sweep comes.
      deps.log.warn('a tenant’s files could not be swept', { tenantId, error: describeError(error) })
    }
  }
  return swept
}

async function sweepTenant(deps: SweepFilesDeps, scope: TenantScope, shelf: Shelf): Promise<void> {
  const nowMs = deps.clock.now()
  for (const [id, entry] of Object.entries(shelf.underWay))
    if (entry.until <= nowMs) await endEntry(deps, scope, id, entry)
  if ((shelf.expiresFrom ?? Infinity) <= nowMs) await removeExpired(deps, scope)
}

async function endEntry(deps: SweepFilesDeps, scope: TenantScope, id: string, entry: UnderWay): Promise<void> {
  switch (entry.kind) {
    case 'creating':
      return endCreation(deps, scope, id, entry)
    case 'uploading':
      return endUpload(deps, scope, id, entry)
    case 'clearing':
      return clear(deps, scope, id)
    case 'deleting': {
      const fileId = parseFileId(id)
      if (fileId) await endRemoval(deps, scope, fileId)
      return
    }
    case 'receiving':
    case 'received': {
      const uploadId = parseLinkUploadId(id)
      if (uploadId) await deps.linkUploads.clear(scope, uploadId)
      return
    }
    case 'lent':
      return deps.lent.takeBack(scope, id)
    default:
      return assertNever(entry)
  }
}

/** The file is there and was only not counted, or nobody will ever see what was written. */
async function endCreation(
  deps: SweepFilesDeps,
  scope: TenantScope,
  id: string,
  { fileId, until }: Extract<UnderWay, { kind: 'creating' }>,
): Promise<void> {
  const { shelves, store } = deps
  const file = await store.get(scope, fileId)
  if (file?.pieces.some((piece) => piece.id === id)) {
    await shelves.change(scope, (shelf) => ({
      shelf: settled(shelf, { id, kind: 'creating' }, file) ?? shelf,
      answer: undefined,
    }))
    return
  }
  const isTaken = await shelves.change(scope, (shelf) => {
    const next = turned(shelf, id, 'creating', { kind: 'clearing', bytes: 0, until })
    return { shelf: next ?? shelf, answer: next !== undefined }
  })
  if (isTaken) await clear(deps, scope, id)
}

async function endUpload(deps: SweepFilesDeps, scope: TenantScope, id: string, { until }: UnderWay): Promise<void> {
  const { shelves, uploads } = deps
  const uploadId = parseUploadId(id)
  const found = uploadId && (await uploads.get(scope, uploadId))
  if (found?.upload.state.kind === 'completed')
    return void (await endCompletion({ ...deps, files: deps.store }, scope, found.upload))
  const expired: UploadRecord | undefined = found && { ...found.upload, state: { kind: 'expired' } }
  // It was completed or cancelled this very moment: the next sweep sees it.
  if (found && expired && !(await uploads.replace(scope, expired, found.etag))) return
  await shelves.change(scope, (shelf) => ({
    shelf: turned(shelf, id, 'uploading', { kind: 'clearing', bytes: 0, until }) ?? shelf,
    answer: undefined,
  }))
  await clear(deps, scope, id)
}

/** Of an upload's parts those stay that its file is made of. */
async function clear({ contents, uploads, shelves }: SweepFilesDeps, scope: TenantScope, id: string): Promise<void> {
  const uploadId = parseUploadId(id)
  if (uploadId) {
    const state = (await uploads.get(scope, uploadId))?.upload.state
    const kept = state?.kind === 'completed' ? state.parts.map(({ piece }) => piece.id) : []
    // Its record goes last: without it nobody knows what has to stay, and all of this was done before.
    if (state) await contents.clear(scope, bodyOf(uploadId), new Set(kept))
    await uploads.remove(scope, uploadId)
  } else {
    await contents.clear(scope, id)
  }
  await shelves.change(scope, (shelf) => ({ shelf: ended(shelf, id), answer: undefined }))
}

async function removeExpired(deps: SweepFilesDeps, scope: TenantScope): Promise<void> {
  const { shelves, store, clock } = deps
  const { added } = await shelves.get(scope)
  let expiresFrom: number | undefined
  for await (const file of store.newestFirst(scope)) {
    if (isThere(file, clock.now())) {
      if (file.expiresAt !== undefined) expiresFrom = Math.min(expiresFrom ?? Infinity, file.expiresAt)
    } else await removeFile(deps, scope, file)
  }
  // A file that came meanwhile may not have been seen: then the next sweep looks again.
  await shelves.change(scope, (shelf) => ({
    shelf: shelf.added === added && shelf.expiresFrom !== expiresFrom ? { ...shelf, expiresFrom } : shelf,
    answer: undefined,
  }))
}
