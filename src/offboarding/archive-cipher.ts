import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Chance } from '../base/chance'

/**
 * An encrypted stream that cannot be changed, cut or reordered unseen (the STREAM construction, Hoang et al. 2015):
 * `TNTX1`, 7 bytes of chance, then frames. A frame is its length (4 bytes, big endian), ciphertext and tag (16); its nonce is
 * the 7 bytes, the frame's number (4 bytes) and 1 for the last frame, 0 for any other. AES-256-GCM; frames hold 64 KiB.
 */
const MAGIC = Buffer.from('TNTX1')
const PREFIX_BYTES = 7
const TAG_BYTES = 16
const FRAME_BYTES = 64 * 1024
const LENGTH_BYTES = 4

/** A key may encrypt one archive only: under another one the 7 bytes of chance would be all that keeps nonces apart. */
export async function* encryptArchive(
  key: Buffer,
  chance: Chance,
  plain: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  const prefix = Buffer.from(chance.bytes(PREFIX_BYTES))
  yield Buffer.concat([MAGIC, prefix])
  let number = 0
  let held = Buffer.alloc(0)
  for await (const chunk of plain) {
    held = Buffer.concat([held, chunk])
    // The last frame is told from others, so one is always kept back.
    while (held.length > FRAME_BYTES) {
      yield seal(key, nonceOf(prefix, number++, false), held.subarray(0, FRAME_BYTES))
      held = held.subarray(FRAME_BYTES)
    }
  }
  yield seal(key, nonceOf(prefix, number, true), held)
}

/**
 * Throws where the key is wrong, or the bytes are not what was encrypted, whole and in order. What it has yielded until
 * then was encrypted so, but nobody may take it for the whole before the end.
 */
export async function* decryptArchive(key: Buffer, sealed: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const bytes = createReader(sealed)
  const head = await bytes.take(MAGIC.length + PREFIX_BYTES)
  if (!head?.subarray(0, MAGIC.length).equals(MAGIC)) throw new ArchiveError('This is no encrypted export of Tenantry.')
  const prefix = head.subarray(MAGIC.length)
  for (let number = 0; ; number++) {
    const length = (await bytes.take(LENGTH_BYTES))?.readUInt32BE()
    if (length === undefined || length > FRAME_BYTES + TAG_BYTES) throw new ArchiveError(BROKEN)
    const frame = await bytes.take(length)
    if (!frame) throw new ArchiveError(BROKEN)
    const isLast = await bytes.isAtEnd()
    yield open(key, nonceOf(prefix, number, isLast), frame)
    if (isLast) return
  }
}

const BROKEN = 'The archive is cut off, or was changed.'

/** It is the archive or the key that is wrong, not the reading. */
export class ArchiveError extends Error {}

/** Takes given lengths from chunks of any. */
function createReader(chunks: AsyncIterable<Uint8Array>) {
  const iterator = chunks[Symbol.asyncIterator]()
  let held = Buffer.alloc(0)
  const hold = async (length: number) => {
    while (held.length < length) {
      const next = await iterator.next()
      if (next.done) return false
      held = Buffer.concat([held, next.value])
    }
    return true
  }
  return {
    /** Undefined where there are not so many any more. */
    take: async (length: number) => {
      if (!(await hold(length))) return undefined
      const taken = held.subarray(0, length)
      held = held.subarray(length)
      return taken
    },
    isAtEnd: async () => !(await hold(1)),
  }
}

function nonceOf(prefix: Buffer, number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  prefix.copy(nonce)
  nonce.writeUInt32BE(number, PREFIX_BYTES)
  nonce.writeUInt8(isLast ? 1 : 0, 11)
  return nonce
}

function seal(key: Buffer, nonce: Buffer, plain: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const sealed = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(sealed.length)
  return Buffer.concat([length, sealed])
}

function open(key: Buffer, nonce: Buffer, sealed: Buffer): Buffer {
  if (sealed.length < TAG_BYTES) throw new ArchiveError(BROKEN)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()])
  } catch {
    throw new ArchiveError('The key is not this archive’s, or the archive was changed.')
  }
}
