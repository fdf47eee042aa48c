import { createHash } from 'node:crypto'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import { CHUNK_BYTES } from './file-bounds'
import type { ContentHash } from './file-record'

/**
 * Content in chunks, each a sealed record of its own: so a file of any size is written and read with the memory of a few
 * chunks, and is moved, sealed anew and deleted with everything else of the tenant's.
 */
export interface Contents {
  /** Reads to the end, or until there is more than `bytesMax`; what was written then is still there. */
  write(scope: TenantScope, id: string, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<WriteResult>
  /** In the order of the pieces; breaks off with an error where one is not there any more. */
  read(scope: TenantScope, pieces: readonly Piece[]): AsyncGenerator<Buffer>
  remove(scope: TenantScope, pieces: readonly Piece[]): Promise<void>
  /** Whatever was written of contents whose ids are this one or begin with it and a hyphen, but for those to keep. */
  clear(scope: TenantScope, id: string, keep?: ReadonlySet<string>): Promise<void>
}

/** A content, or a part of one. */
export interface Piece {
  /** Lower-case letters, digits and hyphens. */
  readonly id: string
  readonly chunks: number
}

export type WriteResult =
  | { readonly kind: 'written'; readonly piece: Piece; readonly bytes: number; readonly contentHash: ContentHash }
  | { readonly kind: 'too-large' }

const NUMBER_DIGITS = 5
const chunkId = (id: string, number: number) => `${prefixOf(id)}${String(number).padStart(NUMBER_DIGITS, '0')}`
/** What the ids of a content's chunks begin with; five digits follow. */
export const prefixOf = (id: string) => `filechunk-${id}-`
const contentIdOf = (chunk: string) => chunk.slice('filechunk-'.length, -(NUMBER_DIGITS + 1))

export function createContents(records: Pick<SealedRecords, 'getBytes' | 'putBytes' | 'removeBytes'>): Contents {
  return {
    write: async (scope, id, content, bytesMax) => {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      const hash = createHash('sha256')
      let held = 0
      let bytes = 0
      let chunks = 0
      const flush = async () => {
        hash.update(chunk.subarray(0, held))
        // Sealed before anything else is put into the buffer.
        await records.putBytes(scope, chunkId(id, chunks), chunk.subarray(0, held))
        chunks++
        held = 0
      }
      for await (const piece of content) {
        bytes += piece.length
        if (bytes > bytesMax) return { kind: 'too-large' }
        for (let at = 0; at < piece.length;) {
          const end = Math.min(piece.length, at + CHUNK_BYTES - held)
          chunk.set(piece.subarray(at, end), held)
          held += end - at
          at = end
          if (held === CHUNK_BYTES) await flush()
        }
      }
      if (held > 0) await flush()
      return { kind: 'written', piece: { id, chunks }, bytes, contentHash: `sha256:${hash.digest('hex')}` }
    },
    async *read(scope, pieces) {
      for (const id of chunksOf(pieces)) {
        const bytes = await records.getBytes(scope, id)
        if (!bytes) throw new Error('a part of the file is not there any more: it was deleted while it was read')
        yield bytes
      }
    },
    remove: async (scope, pieces) => {
      for (const { id } of pieces) await records.removeBytes(scope, prefixOf(id))
    },
    clear: (scope, id, keep = new Set()) =>
      records.removeBytes(scope, prefixOf(id), (chunk) => !keep.has(contentIdOf(chunk))),
  }
}

function* chunksOf(pieces: readonly Piece[]): Generator<string> {
  for (const { id, chunks } of pieces) for (let number = 0; number < chunks; number++) yield chunkId(id, number)
}
