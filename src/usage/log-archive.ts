import { createHash, type Hash } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { ContainerClient } from '@azure/storage-blob'
import { storageStatus, type StorageAccount } from '../storage/connect'
import { usageLogContainer } from '../metering/log-blob-name'
import { placedLines, type PlacedLine } from './read-log'

/**
 * Closed log blobs, compressed, each under its own name and with the SHA-256 of what it held, so that years of the log cost little and
 * rows can be made again from it (I9).
 *
 * L1 A blob is deleted from the log only when its copy has been read back and has its hash.
 * L2 A blob of late usage stays in the log beside its copy: whoever repeats a claim finds there what counts already.
 */
export interface LogArchive {
  /** Safe to repeat, and by several at once. The blob must be sealed. */
  take(name: string): Promise<void>
  /** The whole lines of an archived blob, as `readLog` gives them. Throws at its end where its hash is not the kept one. */
  read(name: string, onDamaged: (position: number) => void): AsyncGenerator<PlacedLine[]>
}

export const usageArchiveContainer = 'usage-archive'

export const archiveNameOf = (name: string) => `${name}.gz`

export function createLogArchive(storage: StorageAccount): LogArchive {
  const log = storage.container(usageLogContainer)
  const archive = storage.container(usageArchiveContainer)
  return {
    take: async (name) => {
      const blob = await compressed(log, name)
      if (!blob) return
      await put(archive, name, blob)
      // L1.
      await readThrough(archivedBytes(archive, name))
      if (!isLate(name)) await log.getBlobClient(name).deleteIfExists()
    },
    read: (name, onDamaged) => placedLines(archivedBytes(archive, name), 0, onDamaged),
  }
}

export const isLate = (name: string) => /\/late-[^/]*$/.test(name)

interface Compressed {
  readonly bytes: Buffer
  readonly sha256: string
}

/** Undefined where somebody else has taken it meanwhile. In memory as compressed: a blob has 32 MiB, a tenth of that is left. */
async function compressed(log: ContainerClient, name: string): Promise<Compressed | undefined> {
  const hash = createHash('sha256')
  const chunks: Buffer[] = []
  try {
    const { readableStreamBody } = await log
      .getBlobClient(name)
      .download(0, undefined, { maxRetryRequests: RETRIES_MAX })
    if (!readableStreamBody) throw new Error(`the download of ${name} has no body`)
    const gzip = createGzip()
    const packing = pipeline(hashed(readableStreamBody, hash), gzip)
    packing.catch(() => {})
    for await (const chunk of gzip) {
      const bytes: Buffer = chunk
      chunks.push(bytes)
    }
    await packing
  } catch (error) {
    if (storageStatus(error) === 404) return undefined
    throw error
  }
  return { bytes: Buffer.concat(chunks), sha256: hash.digest('hex') }
}

async function readThrough(bytes: AsyncGenerator<Buffer>): Promise<void> {
  while ((await bytes.next()).done !== true) continue
}

async function* hashed(source: AsyncIterable<string | Buffer>, hash: Hash): AsyncGenerator<string | Buffer> {
  for await (const chunk of source) {
    hash.update(chunk)
    yield chunk
  }
}

const RETRIES_MAX = 3

/** What is there already is the same: a sealed blob does not change. */
async function put(archive: ContainerClient, name: string, { bytes, sha256 }: Compressed): Promise<void> {
  const target = archive.getBlockBlobClient(archiveNameOf(name))
  try {
    await target.upload(bytes, bytes.length, { metadata: { sha256 }, conditions: { ifNoneMatch: '*' } })
  } catch (error) {
    if (storageStatus(error) !== 409 && storageStatus(error) !== 412) throw error
    const { metadata } = await target.getProperties()
    if (metadata?.['sha256'] !== sha256)
      throw new Error(`${name} is in the archive with another content`, { cause: error })
  }
}

async function* archivedBytes(archive: ContainerClient, name: string): AsyncGenerator<Buffer> {
  const { readableStreamBody, metadata } = await archive
    .getBlobClient(archiveNameOf(name))
    .download(0, undefined, { maxRetryRequests: RETRIES_MAX })
  if (!readableStreamBody) throw new Error(`the download of ${name} has no body`)
  const hash = createHash('sha256')
  const plain = createGunzip()
  const reading = pipeline(readableStreamBody, plain)
  reading.catch(() => {})
  for await (const chunk of plain) {
    const bytes: Buffer = chunk
    hash.update(bytes)
    yield bytes
  }
  await reading
  if (hash.digest('hex') !== metadata?.['sha256']) throw new Error(`${name} is damaged in the archive`)
}
