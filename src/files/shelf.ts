import type { FileId } from '../base/ids'
import { Problem } from '../base/problem'
import { TENANT_BYTES_MAX, TENANT_FILES_MAX, UNDER_WAY_MAX } from './file-bounds'

/**
 * What a tenant's files take up and what is under way with them: numbers and ids only. It is one row, changed by
 * compare-and-swap. Invariants:
 * S1 Content is written, and a file deleted, only while an entry of `underWay` says so. So whatever a crash leaves is found by
 *    the entry, and nothing else has to be looked through.
 * S2 `files` and `bytes` count the files that are there; what is under way takes room in addition.
 */
export interface Shelf {
  readonly files: number
  readonly bytes: number
  /** By the id of the content, of the upload, or of the file that is deleted. */
  readonly underWay: Readonly<Record<string, UnderWay>>
  /** Unix milliseconds; no file expires before. Undefined where none does. */
  readonly expiresFrom: number | undefined
  /** Files that ever came: who looks through all of them knows by it whether one came meanwhile. */
  readonly added: number
}

export type UnderWay = Room &
  /** A file comes; its content has the id of the entry. */
  (
    | { readonly kind: 'creating'; readonly fileId: FileId }
    /** An upload takes parts. */
    | { readonly kind: 'uploading' }
    /** An upload is over, and what its file does not need of it goes. */
    | { readonly kind: 'clearing' }
    /** A file goes. */
    | { readonly kind: 'deleting' }
    /** A client may write by a link, or what it wrote is being taken in. */
    | { readonly kind: 'receiving' }
    /** What came by a link is a file, or not wanted any more; by a link that still holds more may come, which goes too. */
    | { readonly kind: 'received' }
    /** A copy in the clear is there for an account to fetch; the entry has its name. */
    | { readonly kind: 'lent' }
  )

interface Room {
  readonly bytes: number
  /** Unix milliseconds: who began it has ended by then, and the sweep goes on with it. */
  readonly until: number
}

export const emptyShelf: Shelf = { files: 0, bytes: 0, underWay: {}, expiresFrom: undefined, added: 0 }

/** Unix milliseconds from which on the sweep finds something to do; undefined for never. */
export function dueAt({ underWay, expiresFrom }: Shelf): number | undefined {
  const times = [
    ...Object.values(underWay).map(({ until }) => until),
    ...(expiresFrom === undefined ? [] : [expiresFrom]),
  ]
  return times.length > 0 ? Math.min(...times) : undefined
}

/** Takes room for what begins. */
export function begun(shelf: Shelf, id: string, entry: UnderWay): Shelf | Problem {
  const entries = Object.values(shelf.underWay)
  const active = entries.filter(({ kind }) => !passive.has(kind)).length
  if (active >= UNDER_WAY_MAX || entries.length >= ENTRIES_MAX) {
    const text = `${UNDER_WAY_MAX} files and uploads of this tenant are under way, which is the most. End some of them first.`
    return new Problem('concurrency_limit_exceeded', text, { retryAfterMs: BUSY_RETRY_MS })
  }
  return roomProblem(shelf, entry.bytes) ?? withEntry(shelf, id, entry)
}

/** Those that nobody waits for: what is left of things that are over. */
const passive: ReadonlySet<UnderWay['kind']> = new Set(['clearing', 'received', 'lent'])

/** Notes what takes no room of the tenant's; undefined where the row is full. */
export function noted(shelf: Shelf, id: string, entry: UnderWay): Shelf | undefined {
  return Object.keys(shelf.underWay).length >= ENTRIES_MAX ? undefined : withEntry(shelf, id, entry)
}

/** How much it is turns out to be more than was thought. */
export function grown(shelf: Shelf, id: string, bytes: number): Shelf | Problem {
  const entry = shelf.underWay[id]
  if (!entry || bytes <= entry.bytes) return shelf
  return roomProblem(shelf, bytes - entry.bytes, 0) ?? withEntry(shelf, id, { ...entry, bytes })
}

/** A file is there. Undefined where the entry is not: it took too long, and the sweep has taken it over. */
export function settled(
  shelf: Shelf,
  { id, kind, next }: { id: string; kind: UnderWay['kind']; next?: UnderWay },
  { bytes, expiresAt }: { readonly bytes: number; readonly expiresAt: number | undefined },
): Shelf | undefined {
  if (shelf.underWay[id]?.kind !== kind) return undefined
  const rest = next ? withEntry(shelf, id, next) : ended(shelf, id)
  const expiries = [shelf.expiresFrom, expiresAt].filter((time) => time !== undefined)
  return {
    ...rest,
    files: shelf.files + 1,
    added: shelf.added + 1,
    bytes: shelf.bytes + bytes,
    expiresFrom: expiries.length > 0 ? Math.min(...expiries) : undefined,
  }
}

/** A file goes; its room is free when it is gone. Undefined where that is under way already. */
export function deletionBegun(
  shelf: Shelf,
  { id, bytes, until }: { readonly id: FileId; readonly bytes: number; readonly until: number },
): Shelf | undefined {
  if (shelf.underWay[id]) return undefined
  const next = withEntry(shelf, id, { kind: 'deleting', bytes, until })
  return { ...next, files: shelf.files - 1, bytes: shelf.bytes - bytes }
}

/** The same entry with another kind or time; undefined where it is not of the kind that it was thought to be. */
export function turned(shelf: Shelf, id: string, kind: UnderWay['kind'], to: UnderWay): Shelf | undefined {
  return shelf.underWay[id]?.kind === kind ? withEntry(shelf, id, to) : undefined
}

/** Without the entry; the same shelf where it has none. */
export function ended(shelf: Shelf, id: string): Shelf {
  if (!shelf.underWay[id]) return shelf
  const { [id]: _, ...underWay } = shelf.underWay
  return { ...shelf, underWay }
}

const withEntry = (shelf: Shelf, id: string, entry: UnderWay): Shelf => ({
  ...shelf,
  underWay: { ...shelf.underWay, [id]: entry },
})

/** Of which a file comes. */
const coming: ReadonlySet<UnderWay['kind']> = new Set(['creating', 'uploading', 'receiving'])

const BUSY_RETRY_MS = 1_000
/** Of a row, which holds about 4,000. */
const ENTRIES_MAX = 2_000

function roomProblem({ files, bytes, underWay }: Shelf, more: number, moreFiles = 1): Problem | undefined {
  const entries = Object.values(underWay)
  const taken = bytes + entries.reduce((sum, entry) => sum + entry.bytes, 0)
  const onTheirWay = entries.filter(({ kind }) => coming.has(kind)).length
  if (files + onTheirWay + moreFiles > TENANT_FILES_MAX)
    return new Problem('file_quota_exceeded', `A tenant has at most ${TENANT_FILES_MAX} files. Delete some first.`)
  if (taken + more <= TENANT_BYTES_MAX) return undefined
  const text = `A tenant's files have at most ${TENANT_BYTES_MAX} bytes together; ${taken} are taken, and this needs ${more}. Delete some first.`
  return new Problem('file_quota_exceeded', text)
}
