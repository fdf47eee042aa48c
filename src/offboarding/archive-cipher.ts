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

/** Throws where the key is wrong, or the bytes are not what was encrypted, whole and in order. */
export function decryptArchive(key: Buffer, bytes: Buffer): Buffer {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('This is no encrypted export of Tenantry.')
  const prefix = bytes.subarray(MAGIC.length, MAGIC.length + PREFIX_BYTES)
  const plain: Buffer[] = []
  let at = MAGIC.length + PREFIX_BYTES
  for (let number = 0; ; number++) {
    if (at + 4 > bytes.length) throw new Error('The archive is cut off.')
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) throw new Error('The archive is cut off.')
    const isLast = end === bytes.length
    plain.push(open(key, nonceOf(prefix, number, isLast), bytes.subarray(at + 4, end)))
    if (isLast) return Buffer.concat(plain)
    at = end
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
  const length = Buffer.alloc(4)
  length.writeUInt32BE(sealed.length)
  return Buffer.concat([length, sealed])
}

function open(key: Buffer, nonce: Buffer, sealed: Buffer): Buffer {
  if (sealed.length < TAG_BYTES) throw new Error('The archive is cut off.')
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()])
  } catch {
    throw new Error('The key is not this archive’s, or the archive was changed.')
  }
}
