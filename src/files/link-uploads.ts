import type { Clock } from '../base/clock'
import type { CallerId, IdMaker, LinkUploadId } from '../base/ids'
import { Problem, ProblemError } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import type { TransitContent } from '../storage/transit-blobs'
import { CLEARING_MARGIN_MS, FILE_BYTES_MAX, LINK_VALID_MS, TAKING_MS_MAX } from './file-bounds'
import type { Files } from './files'
import { linkUploadEndsAt, type LinkUpload, type LinkUploadState, type LinkUploadStore } from './link-upload'
import { begun, ended, turned, type UnderWay } from './shelf'
import type { Shelves } from './shelves'
import type { Transit } from './transit'

/**
 * Files that come by a link to storage: resumable, and past the platform's own doors. What comes lies in the clear until it is
 * taken in, sealed; the entry on the tenant's shelf is written before anything of it is, and goes when no link to it holds any more. An upload of
 * another tenant is as unknown as any.
 */
export interface LinkUploads {
  /** Repeated with the same id it gives another link to the same upload. */
  create(scope: TenantScope, upload: NewLinkUpload): Promise<LinkedUpload | Problem>
  get(scope: TenantScope, id: LinkUploadId): Promise<LinkUpload | undefined>
  /** Another link, for one that has run out. */
  link(scope: TenantScope, id: LinkUploadId): Promise<LinkedUpload | Problem | undefined>
  /** Whether all is there that was promised; then it can be taken in. Until then its client may go on. */
  complete(scope: TenantScope, id: LinkUploadId): Promise<LinkUpload | Problem | undefined>
  /** Makes the file and deletes the blob. Throws where another attempt may do better. */
  take(scope: TenantScope, id: LinkUploadId): Promise<void>
  abandon(scope: TenantScope, id: LinkUploadId): Promise<LinkUpload | Problem | undefined>
  /** It could not be taken in, for whatever reason. */
  giveUp(scope: TenantScope, id: LinkUploadId): Promise<void>
  /** For the sweep, when an entry's time is over: nothing of it is left. */
  clear(scope: TenantScope, id: LinkUploadId): Promise<void>
}

export interface NewLinkUpload {
  readonly id: LinkUploadId
  readonly filename: string
  readonly bytes: number | undefined
  readonly createdBy: CallerId
}

export interface LinkedUpload {
  readonly upload: LinkUpload
  readonly url: string
  /** Of the link, Unix milliseconds. */
  readonly expiresAt: number
}

export interface LinkUploadsDeps {
  readonly shelves: Shelves
  readonly store: LinkUploadStore
  readonly files: Pick<Files, 'create' | 'get' | 'remove'>
  readonly transit: Transit
  readonly ids: Pick<IdMaker, 'fileId'>
  readonly clock: Clock
}

export function createLinkUploads(deps: LinkUploadsDeps): LinkUploads {
  const { shelves, store, transit, ids, clock } = deps
  const turn = (scope: TenantScope, id: LinkUploadId, to: UnderWay) =>
    shelves.change(scope, (shelf) => ({
      shelf: turned(shelf, id, 'receiving', to) ?? shelf,
      answer: undefined,
    }))
  const linked = async (scope: TenantScope, upload: LinkUpload): Promise<LinkedUpload | Problem> => {
    const nowMs = clock.now()
    const endsAt = linkUploadEndsAt(upload)
    if (upload.state.kind !== 'open' || nowMs >= endsAt) return isOver(upload)
    const expiresAtMs = Math.min(nowMs + LINK_VALID_MS, endsAt)
    const incoming = await transit.at(scope, 'incoming')
    const url = await incoming.link(upload.id, { right: 'write', nowMs, expiresAtMs })
    return { upload, url, expiresAt: expiresAtMs }
  }
  /** Nothing is left of what came, and whatever comes by a link that still holds goes when it does not any more. */
  const forget = async (scope: TenantScope, id: LinkUploadId) => {
    await transit.discard(scope, 'incoming', id)
    await turn(scope, id, { kind: 'received', bytes: 0, until: clock.now() + LINK_VALID_MS + CLEARING_MARGIN_MS })
  }
  const failed = async (scope: TenantScope, id: LinkUploadId, problem: Pick<Problem, 'code' | 'public'>) => {
    const state: LinkUploadState = { kind: 'failed', code: problem.code, message: problem.public }
    await store.change(scope, id, (upload) => (upload.state.kind === 'taking' ? { ...upload, state } : upload))
    await forget(scope, id)
  }

  return {
    create: async (scope, { id, ...given }) => {
      const known = await store.get(scope, id)
      if (known) return linked(scope, known)
      const createdAt = clock.now()
      const until = linkUploadEndsAt({ createdAt }) + CLEARING_MARGIN_MS
      const problem = await shelves.change(scope, (shelf) => {
        const next = begun(shelf, id, { kind: 'receiving', bytes: given.bytes ?? 0, until })
        return next instanceof Problem ? { shelf, answer: next } : { shelf: next, answer: undefined }
      })
      if (problem) return problem
      const state = { kind: 'open' } as const
      const upload: LinkUpload = { id, fileId: ids.fileId(), ...given, purpose: 'fine-tune', createdAt, state }
      if (await store.insert(scope, upload)) return linked(scope, upload)
      const other = await store.get(scope, id)
      return other ? linked(scope, other) : isOver({ ...upload, state: { kind: 'expired' } })
    },
    get: store.get,
    link: async (scope, id) => {
      const upload = await store.get(scope, id)
      return upload && linked(scope, upload)
    },
    complete: async (scope, id) => {
      const upload = await store.get(scope, id)
      if (!upload || upload.state.kind === 'taking' || upload.state.kind === 'taken') return upload
      const nowMs = clock.now()
      if (upload.state.kind !== 'open' || nowMs >= linkUploadEndsAt(upload)) return isOver(upload)
      const blob = await (await transit.at(scope, 'incoming')).open(id)
      const problem = blob ? faultOf(upload, blob) : notCommitted
      if (problem) return problem
      // The room is taken by what is being written from here on.
      await turn(scope, id, { kind: 'receiving', bytes: 0, until: nowMs + TAKING_MS_MAX + CLEARING_MARGIN_MS })
      const state = { kind: 'taking', atMs: nowMs } as const
      const next = await store.change(scope, id, (before) =>
        before.state.kind === 'open' ? { ...before, state } : before,
      )
      const isTaken = next?.state.kind === 'taking' || next?.state.kind === 'taken'
      return next && !isTaken ? isOver(next) : next
    },
    take: async (scope, id) => {
      const upload = await store.get(scope, id)
      if (!upload || upload.state.kind === 'open') return
      // Decided before, and maybe not tidied up.
      if (upload.state.kind !== 'taking') return forget(scope, id)
      const problem = await takeIn(deps, scope, upload)
      if (problem) return failed(scope, id, problem)
      await forget(scope, id)
      const state = { kind: 'taken', atMs: clock.now() } as const
      const now = await store.change(scope, id, (before) =>
        before.state.kind === 'taking' ? { ...before, state } : before,
      )
      // Somebody has given it up meanwhile, and said so.
      if (now?.state.kind !== 'taken') await deps.files.remove(scope, upload.fileId)
    },
    abandon: async (scope, id) => {
      const state = { kind: 'abandoned' } as const
      const upload = await store.change(scope, id, (before) =>
        before.state.kind === 'open' ? { ...before, state } : before,
      )
      if (!upload) return undefined
      if (upload.state.kind !== 'abandoned') return isOver(upload)
      await forget(scope, id)
      return upload
    },
    giveUp: (scope, id) => failed(scope, id, notTaken),
    clear: async (scope, id) => {
      const upload = await store.change(scope, id, givenUp)
      await transit.discard(scope, 'incoming', id)
      if (upload) await store.remove(scope, id)
      await shelves.change(scope, (shelf) => ({ shelf: ended(shelf, id), answer: undefined }))
    },
  }
}

/** The file; what cannot be helped is a problem, and what may pass is thrown. */
async function takeIn(
  { files, transit }: LinkUploadsDeps,
  scope: TenantScope,
  upload: LinkUpload,
): Promise<Problem | undefined> {
  const { id, fileId, filename, purpose, createdBy } = upload
  // A crash behind the file's making has deleted its blob, or has not.
  if (await files.get(scope, fileId)) return undefined
  const blob = await (await transit.at(scope, 'incoming')).open(id)
  if (!blob) return gone
  const fault = faultOf(upload, blob)
  if (fault) return fault
  try {
    const file = { id: fileId, filename, purpose, createdBy, bytesAtMost: blob.bytes }
    const made = await files.create(scope, file, blob.content)
    if (!(made instanceof Problem)) return undefined
    throw new ProblemError(made)
  } catch (error) {
    if (error instanceof ProblemError && !error.problem.entry.retryable) return error.problem
    throw error
  }
}

function faultOf(
  { bytes: promised }: LinkUpload,
  { bytes, isArchived }: Pick<TransitContent, 'bytes' | 'isArchived'>,
): Problem | undefined {
  if (isArchived) return new Problem('invalid_request', ARCHIVED, { param: 'uploadId' })
  if (bytes > FILE_BYTES_MAX)
    return new Problem('body_too_large', `The blob has ${bytes} bytes; ${FILE_BYTES_MAX} is the most.`)
  if (bytes === 0) return new Problem('invalid_request', 'The blob is empty.', { param: 'uploadId' })
  if (promised === undefined || promised === bytes) return undefined
  const text = `The blob has ${bytes} bytes, but the upload was created for ${promised}.`
  return new Problem('invalid_request', text, { param: 'uploadId' })
}

const givenUp = (upload: LinkUpload): LinkUpload =>
  upload.state.kind === 'open' || upload.state.kind === 'taking' ? { ...upload, state: { kind: 'expired' } } : upload

const ARCHIVED = 'The blob is in the tier Archive, from which it cannot be read. Write it again without a tier.'

const notCommitted = new Problem(
  'invalid_request',
  'Nothing was committed by the link yet: put the list of blocks behind the blocks, then complete the upload.',
  { param: 'uploadId' },
)
const gone = new Problem(
  'conflict',
  'What was uploaded is not there any more, since the tenant’s data was moved meanwhile. Begin a new upload.',
)
const notTaken = new Problem('storage_unavailable', 'The upload could not be taken in. Begin a new one.')

const isOver = ({ id, state }: LinkUpload) => new Problem('conflict', `The upload '${id}' ${shown[state.kind]}.`)

const shown: Readonly<Record<LinkUploadState['kind'], string>> = {
  /** Nobody has noted it yet. */
  open: 'is expired',
  taking: 'is being taken in',
  taken: 'is completed',
  failed: 'has failed',
  abandoned: 'is abandoned',
  expired: 'is expired',
}
