import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob'
import { storageStatus } from './connect'

/**
 * Content in the clear on its way in (a client writes it by a link) or out (a model account reads it by one). It lies in the
 * tenant's own place, under one name, for as short as can be; it is never moved with the tenant, and whoever puts it there or
 * lets others do so has noted before by when it goes.
 */
export interface TransitBlobs {
  /** An address by which whoever has it may write the one blob, or read it, until then (Unix milliseconds), and do nothing else. */
  link(name: string, link: TransitLink): Promise<string>
  /**
   * What was committed, read from its beginning when somebody begins to: all of one version, or broken off with an error where it
   * is written anew meanwhile. Undefined where nothing was committed.
   */
  open(name: string): Promise<TransitContent | undefined>
  write(name: string, content: AsyncIterable<Uint8Array>): Promise<void>
  /** With blocks that nobody committed, snapshots and whatever lease keeps it. Nothing there is no error. */
  discard(name: string): Promise<void>
}

export interface TransitLink {
  readonly right: LinkRight
  readonly nowMs: number
  readonly expiresAtMs: number
}

/** What a link lets do with its one blob. `write`: put blocks and commit them, not read, list or delete. */
export type LinkRight = 'write' | 'read'

export interface TransitContent {
  readonly bytes: number
  /** Whoever may write may also put it into a tier from which nobody can read it for hours. */
  readonly isArchived: boolean
  readonly content: AsyncIterable<Uint8Array>
}

export type SignBlob = (blob: string, link: TransitLink) => Promise<string>

/** What is written at once. Storage takes 50,000 of them. */
const BLOCK_BYTES = 4 * 1024 * 1024
/** A connection that breaks off goes on where it was, so often. */
const RESUMPTIONS_MAX = 5

/** `make` is for a container that may not be there yet: one that was made before the platform kept transit containers has none. */
export function transitBlobs(
  container: ContainerClient,
  { prefix, sign, make }: { prefix: string; sign: SignBlob; make: () => Promise<unknown> },
): TransitBlobs {
  const blobOf = (name: string) => container.getBlockBlobClient(prefix + name)
  return {
    link: async (name, link) => {
      await make()
      return sign(prefix + name, link)
    },
    open: (name) =>
      unlessMissing(async () => {
        const blob = blobOf(name)
        const { contentLength: bytes, etag, accessTier } = await blob.getProperties()
        if (bytes === undefined || etag === undefined) throw new Error('storage says nothing of a blob that it has')
        return { bytes, isArchived: accessTier === 'Archive', content: contentOf(blob, etag) }
      }),
    write: async (name, content) => {
      await make()
      await writeBlocks(blobOf(name), content)
    },
    discard: (name) => discardBlob(blobOf(name)),
  }
}

async function* contentOf(blob: BlockBlobClient, etag: string): AsyncGenerator<Buffer> {
  const { readableStreamBody } = await blob.download(0, undefined, {
    conditions: { ifMatch: etag },
    maxRetryRequests: RESUMPTIONS_MAX,
  })
  yield* (readableStreamBody ?? []) as AsyncIterable<Buffer>
}

async function writeBlocks(blob: BlockBlobClient, content: AsyncIterable<Uint8Array>): Promise<void> {
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  const ids: string[] = []
  let held = 0
  const stage = async () => {
    const id = Buffer.from(`block-${String(ids.length).padStart(6, '0')}`).toString('base64')
    await blob.stageBlock(id, block.subarray(0, held), held)
    ids.push(id)
    held = 0
  }
  for await (const piece of content) {
    for (let at = 0; at < piece.length;) {
      const end = Math.min(piece.length, at + BLOCK_BYTES - held)
      block.set(piece.subarray(at, end), held)
      held += end - at
      at = end
      if (held === BLOCK_BYTES) await stage()
    }
  }
  if (held > 0) await stage()
  await blob.commitBlockList(ids)
}

const PRECONDITION_FAILED = 412

/**
 * First nothing is put in its place: that drops the blocks which nobody committed, and which storage would keep for a week. A right to
 * write is also one to take a lease, which would keep the blob from its deletion, so leases are broken.
 */
export async function discardBlob(blob: BlockBlobClient): Promise<void> {
  const discard = async () => {
    await blob.upload('', 0)
    await blob.deleteIfExists({ deleteSnapshots: 'include' })
  }
  await unlessMissing(async () => {
    try {
      await discard()
    } catch (error) {
      if (storageStatus(error) !== PRECONDITION_FAILED) throw error
      await blob.getBlobLeaseClient().breakLease(0)
      await discard()
    }
    return undefined
  })
}

/** Neither is a container that is gone with its place an error. */
async function unlessMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (storageStatus(error) === 404) return undefined
    throw error
  }
}
