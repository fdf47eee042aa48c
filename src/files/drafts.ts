import type { Clock } from '../base/clock'
import type { FileId, IdMaker } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { Problem, ProblemError } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import type { Contents, Piece, WriteResult } from './contents'
import { CLEARING_MARGIN_MS, DRAFT_MS_MAX, FILE_BYTES_MAX, fileBytesMax } from './file-bounds'
import type { ContentHash, FilePurpose, FileRecord } from './file-record'
import { recordOf, type FileStore, type StoredFile } from './file-store'
import type { NewFile } from './files'
import { begun, ended, grown, settled } from './shelf'
import type { Shelves } from './shelves'
import type { WriteSlots } from './write-slots'

/** Makes files whose description may come behind their content, as in a form. */
export interface Drafts {
  /** `bytesAtMost` where it is known: room is kept for so much. */
  begin(
    scope: TenantScope,
    known: { id?: FileId | undefined; bytesAtMost?: number | undefined },
  ): Promise<Draft | Problem>
}

/** Ends by `finish` or `abandon`, one of them, once; `abandon` after a `finish` that failed does nothing. */
export interface Draft {
  /** `purpose` where it is known already: then what is too large for it is not read to its end. */
  write(content: AsyncIterable<Uint8Array>, purpose: FilePurpose | undefined): Promise<Problem | undefined>
  /** The file, from now on there; that of an earlier creation where the id is taken. */
  finish(file: Omit<NewFile, 'id' | 'bytesAtMost'>): Promise<FileRecord | Problem>
  /** Clears away what was written; what a crash keeps from it the sweep does. */
  abandon(): Promise<void>
}

export interface DraftDeps {
  readonly shelves: Shelves
  readonly contents: Contents
  readonly store: FileStore
  readonly slots: WriteSlots
  readonly ids: IdMaker
  readonly clock: Clock
  readonly log: Log
}

export const tooLarge = (bytesMax: number, param: string) =>
  new Problem('body_too_large', `'${param}' is larger than ${bytesMax} bytes, which is the most.`, { param })

const tooSlow = new Problem('body_timeout', 'The file did not come in time.')

export function createDrafts(deps: DraftDeps): Drafts {
  const { shelves, slots, ids, clock } = deps
  return {
    begin: async (scope, { id = ids.fileId(), bytesAtMost = 0 }) => {
      const release = slots.take()
      if (release instanceof Problem) return release
      try {
        // A name of its own: attempts at the same file never write over each other's content.
        const contentId = ids.fileId().slice('file-'.length)
        const until = clock.now() + DRAFT_MS_MAX + CLEARING_MARGIN_MS
        const bytes = Math.min(bytesAtMost, FILE_BYTES_MAX)
        const problem = await shelves.change(scope, (shelf) => {
          const next = begun(shelf, contentId, { kind: 'creating', fileId: id, bytes, until })
          return next instanceof Problem ? { shelf, answer: next } : { shelf: next, answer: undefined }
        })
        if (problem) release()
        return problem ?? draftOf(deps, { scope, id, contentId }, release)
      } catch (error) {
        release()
        throw error
      }
    },
  }
}

function draftOf(
  deps: DraftDeps,
  { scope, id, contentId }: { scope: TenantScope; id: FileId; contentId: string },
  onEnd: () => void,
): Draft {
  const { shelves, contents, store, clock, log } = deps
  const endsMs = clock.monotonicMs() + DRAFT_MS_MAX
  let written: Extract<WriteResult, { kind: 'written' }> | undefined
  let isOver = false
  const over = () => {
    if (!isOver) onEnd()
    isOver = true
  }

  const clear = async () => {
    try {
      await contents.clear(scope, contentId)
      await shelves.change(scope, (shelf) => ({ shelf: ended(shelf, contentId), answer: undefined }))
    } catch (error) {
      log.warn('the rest of a broken-off file waits for the sweep', { contentId, error: describeError(error) })
    }
  }
  const abandon = async () => {
    if (isOver) return
    over()
    await clear()
  }
  const refused = async (problem: Problem) => {
    await abandon()
    return problem
  }
  /** Room for what came, where that is more than was known before. */
  const takeRoom = (bytes: number) =>
    shelves.change(scope, (shelf) => {
      const next = grown(shelf, contentId, bytes)
      return next instanceof Problem ? { shelf, answer: next } : { shelf: next, answer: undefined }
    })

  return {
    write: async (content, purpose) => {
      const bytesMax = purpose ? fileBytesMax(purpose) : FILE_BYTES_MAX
      const result = await contents.write(scope, contentId, inTimeOf(content, clock, endsMs), bytesMax)
      if (result.kind === 'too-large') return refused(tooLarge(bytesMax, 'file'))
      written = result
      const problem = await takeRoom(result.bytes)
      return problem && refused(problem)
    },
    finish: async (meta) => {
      if (!written) return refused(new Problem('invalid_request', 'The file has no content.', { param: 'file' }))
      const bytesMax = fileBytesMax(meta.purpose)
      if (written.bytes > bytesMax) return refused(tooLarge(bytesMax, 'file'))
      const { bytes, piece, contentHash } = written
      const file = storedFileOf({ id, ...meta, bytes, contentHash, pieces: [piece] }, clock.now())
      // From here on nobody can tell whether the file is there but who reads it: of a crash or a failure the sweep does.
      over()
      if (!(await store.insert(scope, file))) {
        await clear()
        const other = await store.get(scope, id)
        return other ? recordOf(other) : new Problem('conflict', `The file '${id}' was made and deleted meanwhile.`)
      }
      const isSettled = await shelves.change(scope, (shelf) => {
        const next = settled(shelf, { id: contentId, kind: 'creating' }, file)
        return { shelf: next ?? shelf, answer: next !== undefined }
      })
      if (isSettled) return recordOf(file)
      // The sweep took it for given up: its content goes, so it must not be seen either.
      await store.remove(scope, id)
      return tooSlow
    },
    abandon,
  }
}

export function storedFileOf(
  file: Omit<NewFile, 'id' | 'bytesAtMost'> & {
    id: FileId
    bytes: number
    contentHash?: ContentHash
    pieces: readonly Piece[]
  },
  createdAt: number,
): StoredFile {
  const { id, filename, purpose, bytes, contentHash, createdBy, pieces, expiresAfterSeconds } = file
  const expiresAt = expiresAfterSeconds === undefined ? undefined : createdAt + expiresAfterSeconds * 1_000
  const hashed = contentHash === undefined ? {} : { contentHash }
  return { id, filename, purpose, bytes, ...hashed, createdAt, expiresAt, createdBy, pieces }
}

/** Breaks off what takes longer: after that its place is cleared away. */
export async function* inTimeOf(content: AsyncIterable<Uint8Array>, clock: Clock, endsMs: number) {
  for await (const piece of content) {
    if (clock.monotonicMs() > endsMs) throw new ProblemError(tooSlow)
    yield piece
  }
}
