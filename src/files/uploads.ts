import { createHash } from 'node:crypto'
import type { Clock } from '../base/clock'
import type { CallerId, IdMaker, UploadId, UploadPartId } from '../base/ids'
import { Problem } from '../base/problem'
import { notFoundObject } from '../inference/stored-operation'
import type { TenantScope } from '../storage/tenant-scope'
import type { Contents } from './contents'
import { inTimeOf, storedFileOf, tooLarge } from './drafts'
import { CLEARING_MARGIN_MS, PART_BYTES_MAX, PART_MS_MAX, PARTS_MAX, UPLOAD_VALID_MS } from './file-bounds'
import type { FileRecord, UploadPurpose } from './file-record'
import { recordOf, type FileStore } from './file-store'
import { begun, settled, turned, type UnderWay } from './shelf'
import type { Shelves } from './shelves'
import { bodyOf, uploadStatus, type UploadPart, type UploadRecord, type UploadStore } from './upload-record'
import type { WriteSlots } from './write-slots'

/** Files that come in parts, in any order and several at once. An upload of another tenant is as unknown as any. */
export interface Uploads {
  create(scope: TenantScope, upload: NewUpload): Promise<UploadRecord | Problem>
  addPart(scope: TenantScope, id: UploadId, content: AsyncIterable<Uint8Array>): Promise<UploadPart | Problem>
  /** Puts the parts together in the order in which they are named. Asked again the same way it answers the same. */
  complete(scope: TenantScope, id: UploadId, order: CompleteOrder): Promise<CompletedUpload | Problem>
  cancel(scope: TenantScope, id: UploadId): Promise<UploadRecord | Problem>
}

export interface NewUpload {
  readonly filename: string
  readonly purpose: UploadPurpose
  readonly bytes: number
  readonly expiresAfterSeconds: number | undefined
  readonly createdBy: CallerId
}

export interface CompleteOrder {
  readonly partIds: readonly UploadPartId[]
  /** Of the whole content, in hexadecimal. */
  readonly md5: string | undefined
}

export interface CompletedUpload {
  readonly upload: UploadRecord
  readonly file: FileRecord
}

export interface UploadsDeps {
  readonly shelves: Shelves
  readonly contents: Contents
  readonly files: FileStore
  readonly uploads: UploadStore
  readonly slots: WriteSlots
  readonly ids: IdMaker
  readonly clock: Clock
}

/** A part whose answer was lost is sent again: so much may an upload hold beyond what it is to be in the end. */
const SENT_AGAIN_BYTES_MAX = 4 * PART_BYTES_MAX

export function createUploads(deps: UploadsDeps): Uploads {
  const { shelves, contents, uploads, ids, clock } = deps

  const pending = async (scope: TenantScope, id: UploadId) => {
    const found = await uploads.get(scope, id)
    if (!found) return notFoundObject('upload', id)
    const status = uploadStatus(found.upload, clock.now())
    return status === 'pending' ? found : isOver(id, status)
  }
  /** What there is room for: of the parts, and their number. */
  const sumOf = async (scope: TenantScope, id: UploadId) => {
    const sum = { parts: 0, bytes: 0 }
    for await (const { bytes } of uploads.parts(scope, id)) {
      sum.parts++
      sum.bytes += bytes
    }
    return sum
  }
  const writePart = async (scope: TenantScope, { id, bytes }: UploadRecord, content: AsyncIterable<Uint8Array>) => {
    const partId = ids.uploadPartId()
    const contentId = `${bodyOf(id)}-${bodyOf(partId)}`
    const takeBack = async (problem: Problem) => {
      await uploads.removePart(scope, id, partId)
      await contents.clear(scope, contentId)
      return problem
    }
    const before = await sumOf(scope, id)
    if (before.parts >= PARTS_MAX) return invalid('data', `An upload has at most ${PARTS_MAX} parts.`)
    const bytesMax = Math.min(PART_BYTES_MAX, bytes + SENT_AGAIN_BYTES_MAX - before.bytes)
    const inTime = inTimeOf(content, clock, clock.monotonicMs() + PART_MS_MAX)
    const written = await contents.write(scope, contentId, inTime, bytesMax)
    if (written.kind === 'too-large') {
      const problem = bytesMax < PART_BYTES_MAX ? tooMuch(bytes) : tooLarge(PART_BYTES_MAX, 'data')
      return takeBack(problem)
    }
    if (written.bytes === 0) return takeBack(invalid('data', "'data' is empty."))
    const part: UploadPart = { id: partId, piece: written.piece, bytes: written.bytes }
    await uploads.addPart(scope, id, part)
    // It may have ended while the part came: then nobody clears this part away but we.
    const still = await pending(scope, id)
    if (still instanceof Problem) return takeBack(still)
    const after = await sumOf(scope, id)
    return after.bytes > bytes + SENT_AGAIN_BYTES_MAX ? takeBack(tooMuch(bytes)) : part
  }

  return {
    create: async (scope, { filename, purpose, bytes, expiresAfterSeconds, createdBy }) => {
      const id = ids.uploadId()
      const createdAt = clock.now()
      const until = createdAt + UPLOAD_VALID_MS + CLEARING_MARGIN_MS
      const problem = await shelves.change(scope, (shelf) => {
        const next = begun(shelf, id, { kind: 'uploading', bytes, until })
        return next instanceof Problem ? { shelf, answer: next } : { shelf: next, answer: undefined }
      })
      if (problem) return problem
      const state = { kind: 'pending' } as const
      const upload: UploadRecord = { id, filename, purpose, bytes, createdAt, createdBy, expiresAfterSeconds, state }
      await uploads.insert(scope, upload)
      return upload
    },
    addPart: async (scope, id, content) => {
      const found = await pending(scope, id)
      if (found instanceof Problem) return found
      const release = deps.slots.take()
      if (release instanceof Problem) return release
      try {
        return await writePart(scope, found.upload, content)
      } finally {
        release()
      }
    },
    complete: (scope, id, order) => complete(deps, scope, id, order),
    cancel: async (scope, id) => {
      const found = await pending(scope, id)
      if (found instanceof Problem) return found
      const cancelled: UploadRecord = { ...found.upload, state: { kind: 'cancelled' } }
      if (!(await uploads.replace(scope, cancelled, found.etag))) return changedMeanwhile(id)
      await shelves.change(scope, (shelf) => ({
        shelf: turned(shelf, id, 'uploading', clearingOf(clock)) ?? shelf,
        answer: undefined,
      }))
      await contents.clear(scope, bodyOf(id))
      return cancelled
    },
  }
}

/** Parts that are on their way when an upload ends come later; the sweep clears them away with its record. */
const clearingOf = (clock: Clock): UnderWay => ({
  kind: 'clearing',
  bytes: 0,
  until: clock.now() + PART_MS_MAX + CLEARING_MARGIN_MS,
})

async function complete(
  deps: UploadsDeps,
  scope: TenantScope,
  id: UploadId,
  { partIds, md5 }: CompleteOrder,
): Promise<CompletedUpload | Problem> {
  const { uploads, contents, ids, clock } = deps
  const found = await uploads.get(scope, id)
  if (!found) return notFoundObject('upload', id)
  const { upload } = found
  if (upload.state.kind === 'completed') {
    const isSame = isSameList(
      upload.state.parts.map((part) => part.id),
      partIds,
    )
    return isSame ? endCompletion(deps, scope, upload) : isOver(id, 'completed')
  }
  const status = uploadStatus(upload, clock.now())
  if (status !== 'pending') return isOver(id, status)
  const parts = await chosenParts(deps, scope, upload, partIds)
  if (parts instanceof Problem) return parts
  if (md5 !== undefined) {
    const digest = createHash('md5')
    for await (const piece of contents.read(
      scope,
      parts.map(({ piece: each }) => each),
    ))
      digest.update(piece)
    if (digest.digest('hex') !== md5.toLowerCase()) return invalid('md5', "'md5' is not that of the parts.")
  }
  const state = { kind: 'completed', fileId: ids.fileId(), at: clock.now(), parts } as const
  const completed: UploadRecord = { ...upload, state }
  if (!(await uploads.replace(scope, completed, found.etag))) return changedMeanwhile(id)
  return endCompletion(deps, scope, completed)
}

/**
 * Makes the file of an upload that is completed. Can be repeated: by a client whose answer was lost, and by the sweep where
 * whoever began it has crashed.
 */
export async function endCompletion(
  { shelves, files, clock }: Pick<UploadsDeps, 'shelves' | 'files' | 'clock'>,
  scope: TenantScope,
  upload: UploadRecord,
): Promise<CompletedUpload | Problem> {
  if (upload.state.kind !== 'completed') throw new Error(`${upload.id} is not completed`)
  const { fileId, at, parts } = upload.state
  const { filename, purpose, bytes, createdBy, expiresAfterSeconds } = upload
  const pieces = parts.map(({ piece }) => piece)
  const file = storedFileOf({ id: fileId, filename, purpose, bytes, createdBy, expiresAfterSeconds, pieces }, at)
  const shelf = await shelves.get(scope)
  // Once the entry says otherwise the file was there; that it is not any more means that it was deleted since.
  if (shelf.underWay[upload.id]?.kind === 'uploading') await files.insert(scope, file)
  await shelves.change(scope, (before) => {
    const next = settled(before, { id: upload.id, kind: 'uploading', next: clearingOf(clock) }, file)
    return { shelf: next ?? before, answer: undefined }
  })
  const there = await files.get(scope, fileId)
  return there ? { upload, file: recordOf(there) } : notFoundObject('file', fileId)
}

async function chosenParts(
  { uploads }: Pick<UploadsDeps, 'uploads'>,
  scope: TenantScope,
  upload: UploadRecord,
  partIds: readonly UploadPartId[],
): Promise<readonly UploadPart[] | Problem> {
  const known = new Map<string, UploadPart>()
  for await (const part of uploads.parts(scope, upload.id)) known.set(part.id, part)
  const parts: UploadPart[] = []
  for (const [index, partId] of partIds.entries()) {
    const part = known.get(partId)
    if (!part) return invalid(`part_ids[${index}]`, `The upload has no part '${partId}', or it is named twice.`)
    known.delete(partId)
    parts.push(part)
  }
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0)
  if (bytes === upload.bytes) return parts
  return invalid('part_ids', `The parts have ${bytes} bytes, but the upload was created for ${upload.bytes}.`)
}

const isSameList = (some: readonly string[], others: readonly string[]) =>
  some.length === others.length && some.every((one, index) => one === others[index])

const invalid = (param: string, text: string) => new Problem('invalid_request', text, { param })
const tooMuch = (bytes: number) =>
  invalid('data', `The parts have more than the ${bytes} bytes that the upload is for.`)
const isOver = (id: UploadId, status: string) => invalid('upload_id', `The upload '${id}' is ${status}.`)
const changedMeanwhile = (id: UploadId) =>
  new Problem('conflict', `The upload '${id}' was ended by somebody else meanwhile.`)
