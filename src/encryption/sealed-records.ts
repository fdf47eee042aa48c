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
 * JSON values of a tenant, sealed, in its own place, by id. Ids are lower-case letters, digits, hyphens and underscores.
 * A value is at most `RECORD_BYTES_MAX` of JSON; one beyond `ROW_BYTES_MAX` lies in a blob that its row names. Reads may show
 * what a move has left behind for `PLACE_KNOWN_EVERYWHERE_MS`; tags stay the same wherever the data is moved.
 */
export interface SealedRecords {
  get<T>(scope: TenantScope, id: string): Promise<{ readonly value: T; readonly etag: string } | undefined>
  /** Writes whatever is there. */
  put<T>(scope: TenantScope, id: string, value: T): Promise<void>
  putIfAbsent<T>(scope: TenantScope, id: string, value: T): Promise<WriteResult>
  /** `lost-race` when the record has changed since `etag`, or is gone. */
  replace<T>(scope: TenantScope, id: string, value: T, etag: string): Promise<WriteResult>
  /** A missing one is no error. */
  remove(scope: TenantScope, id: string): Promise<void>
  /** Ids that begin with `prefix`, in their order. */
  ids(scope: TenantScope, prefix: string): AsyncIterable<string>
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
  ) => change(scope, { id, plain: plainOf(id, value), mayChange })

  /** Whoever changes the row in between makes it look again whether it still may. */
  const change = async (scope: TenantScope, { id, plain, mayChange }: Change): Promise<WriteResult> => {
    const { blobs } = contentOf(await data.toChange(scope))
    const sealed = await sealer.seal(scope, recordIdOf(id), plain)
    const tag = tagOf(sealed)
    const isLarge = plain.length > ROW_BYTES_MAX
    if (isLarge) await blobs.put(blobOf(id, tag), sealed)
    const columns: Columns = isLarge ? { blob: tag } : { sealed }
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

  return {
    get: async <T>(scope: TenantScope, id: string) => {
      const found = await find(contentOf(await data.toRead(scope)), id)
      if (!found) return undefined
      const plain = await sealer.open(scope, recordIdOf(id), found.sealed)
      return { value: JSON.parse(plain.toString()) as T, etag: rowTag(found.row) }
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
      for await (const { rowKey } of rows.range(prefix, `${prefix}~`)) yield rowKey
    },
    reseal: async (scope, { olderThan, recordsMax }) => {
      const contents = contentOf(await data.toChange(scope))
      let left = recordsMax
      for await (const { rowKey: id } of contents.rows.range('', ABOVE_EVERY_ROW_KEY)) {
        const found = await find(contents, id)
        if (!found || keyVersionOf(found.sealed) >= olderThan) continue
        if (left-- === 0) return { isDone: false }
        const plain = await sealer.open(scope, recordIdOf(id), found.sealed)
        // Whoever was faster has sealed it with the new version too.
        await change(scope, { id, plain, mayChange: (tag) => tag === rowTag(found.row) })
      }
      return { isDone: true }
    },
  }
}

interface Change {
  readonly id: string
  readonly plain: Uint8Array
  /** Of what is there, undefined for nothing. */
  readonly mayChange: (tag: string | undefined) => boolean
}

function plainOf(id: string, value: unknown): Buffer {
  if (!ID.test(id)) throw new RangeError(`"${id}" is no id of a sealed record`)
  const plain = Buffer.from(JSON.stringify(value))
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

async function find(
  { rows, blobs }: Contents,
  id: string,
): Promise<{ row: Row<Columns>; sealed: Uint8Array } | undefined> {
  for (let reads = 0; reads < READS_MAX; reads++) {
    const row = await rows.get(id)
    if (!row) return undefined
    const { sealed } = row.columns
    if (sealed instanceof Uint8Array) return { row, sealed }
    const inBlob = await blobs.get(blobOf(id, rowTag(row)))
    if (inBlob) return { row, sealed: inBlob }
  }
  throw new Error(`the record "${id}" names a blob that is not there`)
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
