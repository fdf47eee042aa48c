import { hash } from 'node:crypto'
import type { Row, WriteResult } from '../storage/partition-table'
import { ABOVE_EVERY_ROW_KEY } from '../storage/place-contents'
import type { TenantBlobs } from '../storage/tenant-blobs'
import type { TenantContents, TenantData, TenantRows } from '../storage/tenant-data'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns } from '../storage/tenant-table'
import { keyVersionOf } from './create-sealer'
import type { Sealer } from './sealer'

/**
 * JSON values of a tenant, and bytes, sealed, in its own place, by id. Ids are lower-case letters, digits, hyphens and
 * underscores. A record is at most `RECORD_BYTES_MAX`; one beyond `ROW_BYTES_MAX` lies in a blob that its row names. Reads may
 * show what a move has left behind for `PLACE_KNOWN_EVERYWHERE_MS`; tags stay the same wherever the data is moved.
 */
export interface SealedRecords {
  get<T>(scope: TenantScope, id: string): Promise<{ readonly value: T; readonly etag: string } | undefined>
  /** Writes whatever is there. */
  put<T>(scope: TenantScope, id: string, value: T): Promise<void>
  putIfAbsent<T>(scope: TenantScope, id: string, value: T): Promise<WriteResult>
  /** `lost-race` when the record has changed since `etag`, or is gone. */
  replace<T>(scope: TenantScope, id: string, value: T, etag: string): Promise<WriteResult>
  /** Of values or of bytes; a missing one is no error. */
  remove(scope: TenantScope, id: string): Promise<void>
  /** Ids of values that begin with `prefix`, in their order. */
  ids(scope: TenantScope, prefix: string): AsyncIterable<string>
  /** The values whose ids begin with `prefix` and come behind `after`, in their order, read page by page. */
  values<T>(
    scope: TenantScope,
    prefix: string,
    after?: string,
  ): AsyncIterable<{ readonly id: string; readonly value: T }>
  /** Bytes as they are. Their ids are not among those of values. */
  getBytes(scope: TenantScope, id: string): Promise<Buffer | undefined>
  /** Writes whatever is there. */
  putBytes(scope: TenantScope, id: string, bytes: Uint8Array): Promise<void>
  /**
   * Every record of bytes whose id begins with `prefix` and that is wanted, with what a crash has left of them that no row names
   * (R1): for bytes that nobody writes any more.
   */
  removeBytes(scope: TenantScope, prefix: string, isWanted?: (id: string) => boolean): Promise<void>
  /** Seals up to `recordsMax` of those anew that a key version before `olderThan` has sealed; done when it found no more. */
  reseal(
    scope: TenantScope,
    bounds: { readonly olderThan: number; readonly recordsMax: number },
  ): Promise<{ readonly isDone: boolean }>
}

const ID = /^[a-z0-9_-]{1,200}$/
/** A binary property holds 64 KiB (azure-facts §7); the rest is the seal's own. */
export const ROW_BYTES_MAX = 60_000
/** What storage takes well within `WRITE_MS_MAX`. */
export const RECORD_BYTES_MAX = 16 * 1024 * 1024
/** A large value may be replaced between the reading of its row and of its blob. */
const READS_MAX = 4
const CHANGE_ATTEMPTS_MAX = 20

/**
 * Invariants:
 * R1 A blob is written once, under a name of its own, before the row that names it, and removed after that row has changed.
 *    So a row's compare-and-swap is the whole record's. What a crash in between leaves is a sealed blob that nothing names; it
 *    goes with the tenant's data.
 * R2 Bytes open only as the record they were sealed for, in whatever place, row or blob they lie.
 */
export function createSealedRecords({ data, sealer }: { data: TenantData; sealer: Sealer }): SealedRecords {
  const changeTo = async (
    scope: TenantScope,
    { id, value }: { id: string; value: unknown },
    mayChange: (tag: string | undefined) => boolean,
  ) => change(scope, { id, plain: plainOf(id, Buffer.from(JSON.stringify(value))), isBytes: false, mayChange })

  /** Whoever changes the row in between makes it look again whether it still may. */
  const change = async (scope: TenantScope, { id, plain, isBytes, mayChange }: Change): Promise<WriteResult> => {
    const { blobs } = contentOf(await data.toChange(scope))
    const sealed = await sealer.seal(scope, recordIdOf(id), plain)
    const tag = tagOf(sealed)
    const isLarge = plain.length > ROW_BYTES_MAX
    if (isLarge) await blobs.put(blobOf(id, tag), sealed)
    const columns: Columns = {
      ...(isLarge ? { blob: tag, keyVersion: keyVersionOf(sealed) } : { sealed }),
      ...(isBytes ? { bytes: true } : {}),
    }
    for (let attempt = 0; attempt < CHANGE_ATTEMPTS_MAX; attempt++) {
      // Asked for anew each time: a move may have been what lost the race.
      const { rows } = contentOf(await data.toChange(scope))
      const before = await rows.get(id)
      if (!mayChange(before && rowTag(before))) {
        if (isLarge) await blobs.remove(blobOf(id, tag))
        return { kind: 'lost-race' }
      }
      const result = await (before ? rows.replace(id, columns, before.etag) : rows.insert(id, columns))
      if (result.kind === 'lost-race') continue
      if (before) await removeBlob(blobs, before)
      return { kind: 'written', etag: tag }
    }
    throw new Error(`others are writing the record "${id}" at the moment`)
  }

  const opened = async (scope: TenantScope, id: string) => {
    const found = await find(contentOf(await data.toRead(scope)), id)
    return found && { row: found.row, plain: await sealer.open(scope, recordIdOf(id), found.sealed) }
  }

  return {
    get: async <T>(scope: TenantScope, id: string) => {
      const found = await opened(scope, id)
      if (!found || isBytesRow(found.row)) return undefined
      return { value: JSON.parse(found.plain.toString()) as T, etag: rowTag(found.row) }
    },
    put: async (scope, id, value) => {
      await changeTo(scope, { id, value }, () => true)
    },
    putIfAbsent: (scope, id, value) => changeTo(scope, { id, value }, (tag) => tag === undefined),
    replace: (scope, id, value, etag) => changeTo(scope, { id, value }, (tag) => tag === etag),
    remove: async (scope, id) => {
      const { rows, blobs } = contentOf(await data.toChange(scope))
      const before = await rows.get(id)
      await rows.remove(id)
      if (before) await removeBlob(blobs, before)
    },
    async *ids(scope, prefix) {
      const { rows } = contentOf(await data.toRead(scope))
      for await (const row of rows.range(prefix, `${prefix}~`)) if (!isBytesRow(row)) yield row.rowKey
    },
    async *values<T>(scope: TenantScope, prefix: string, after?: string) {
      const contents = contentOf(await data.toRead(scope))
      // Of the characters of ids the hyphen is the lowest: nothing is between an id and the same one with it behind.
      const from = after === undefined ? prefix : `${after}-`
      for await (const row of contents.rows.range(from, `${prefix}~`)) {
        const found = isBytesRow(row) ? undefined : await foundIn(contents, row)
        if (!found) continue
        const plain = await sealer.open(scope, recordIdOf(row.rowKey), found.sealed)
        yield { id: row.rowKey, value: JSON.parse(plain.toString()) as T }
      }
    },
    getBytes: async (scope, id) => {
      const found = await opened(scope, id)
      return found && isBytesRow(found.row) ? found.plain : undefined
    },
    putBytes: async (scope, id, bytes) => {
      await change(scope, { id, plain: plainOf(id, bytes), isBytes: true, mayChange: () => true })
    },
    removeBytes: async (scope, prefix, isWanted = () => true) => {
      const { rows, blobs } = contentOf(await data.toChange(scope))
      await someAtOnce(rows.range(prefix, `${prefix}~`), async (row) => {
        if (isBytesRow(row) && isWanted(row.rowKey)) await rows.remove(row.rowKey)
      })
      await someAtOnce(blobs.list(prefix), async ({ name }) => {
        const [id = ''] = name.split('/', 1)
        // One with a row is a value, or is not wanted here.
        if (isWanted(id) && !(await rows.get(id))) await blobs.remove(name)
      })
    },
    reseal: async (scope, { olderThan, recordsMax }) => {
      const contents = contentOf(await data.toChange(scope))
      let left = recordsMax
      for await (const row of contents.rows.range('', ABOVE_EVERY_ROW_KEY)) {
        const id = row.rowKey
        // What the row itself says saves the reading of its blob, for every one that is done.
        if ((rowKeyVersion(row) ?? 0) >= olderThan) continue
        const found = await find(contents, id)
        if (!found || keyVersionOf(found.sealed) >= olderThan) continue
        if (left-- === 0) return { isDone: false }
        const plain = await sealer.open(scope, recordIdOf(id), found.sealed)
        const isBytes = isBytesRow(found.row)
        // Whoever was faster has sealed it with the new version too.
        await change(scope, { id, plain, isBytes, mayChange: (tag) => tag === rowTag(found.row) })
      }
      return { isDone: true }
    },
  }
}

/** Each is a round trip or two to storage. */
const REMOVALS_AT_ONCE = 8

async function someAtOnce<T>(items: AsyncIterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  let some: T[] = []
  const workOnSome = async () => {
    await Promise.all(some.map(work))
    some = []
  }
  for await (const item of items) if (some.push(item) >= REMOVALS_AT_ONCE) await workOnSome()
  await workOnSome()
}

interface Change {
  readonly id: string
  readonly plain: Uint8Array
  readonly isBytes: boolean
  /** Of what is there, undefined for nothing. */
  readonly mayChange: (tag: string | undefined) => boolean
}

function plainOf(id: string, plain: Uint8Array): Uint8Array {
  if (!ID.test(id)) throw new RangeError(`"${id}" is no id of a sealed record`)
  if (plain.length > RECORD_BYTES_MAX)
    throw new RangeError(`${plain.length} bytes are too many for one record; ${RECORD_BYTES_MAX} is the most`)
  return plain
}

interface Contents {
  readonly rows: TenantRows
  readonly blobs: TenantBlobs
}

const contentOf = ({ tables, containers }: TenantContents): Contents => ({
  rows: tables.content,
  blobs: containers.content,
})

interface Found {
  readonly row: Row<Columns>
  readonly sealed: Uint8Array
}

async function find(contents: Contents, id: string): Promise<Found | undefined> {
  const row = await contents.rows.get(id)
  return row && foundIn(contents, row)
}

async function foundIn({ rows, blobs }: Contents, given: Row<Columns>): Promise<Found | undefined> {
  const id = given.rowKey
  let row = given
  for (let reads = 0; reads < READS_MAX; reads++) {
    const { sealed } = row.columns
    if (sealed instanceof Uint8Array) return { row, sealed }
    const inBlob = await blobs.get(blobOf(id, rowTag(row)))
    if (inBlob) return { row, sealed: inBlob }
    const again = await rows.get(id)
    if (!again) return undefined
    row = again
  }
  throw new Error(`the record "${id}" names a blob that is not there`)
}

const isBytesRow = ({ columns }: Row<Columns>) => columns['bytes'] === true

/** Which version of the key has sealed it, where the row says so. */
function rowKeyVersion({ columns: { sealed, keyVersion } }: Row<Columns>): number | undefined {
  if (sealed instanceof Uint8Array) return keyVersionOf(sealed)
  return typeof keyVersion === 'number' ? keyVersion : undefined
}

async function removeBlob(blobs: TenantBlobs, { rowKey, columns }: Row<Columns>): Promise<void> {
  if (typeof columns['blob'] === 'string') await blobs.remove(blobOf(rowKey, columns['blob']))
}

const blobOf = (id: string, tag: string) => `${id}/${tag}`

/** No two seals are alike, so their digest tells one state of a record from every other, in whatever place it lies. */
const tagOf = (sealed: Uint8Array) => hash('sha256', sealed, 'base64url')

function rowTag({ rowKey, columns: { sealed, blob } }: Row<Columns>): string {
  if (sealed instanceof Uint8Array) return tagOf(sealed)
  if (typeof blob === 'string') return blob
  throw new Error(`the row "${rowKey}" is no sealed record`)
}

/** What the seal is bound to: the same in whatever place the tenant's data lies. */
export const recordIdOf = (id: string) => `content/${id}`
