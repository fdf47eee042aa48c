import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Chance } from '../base/chance'
import type { TenantScope } from '../storage/tenant-scope'
import { SealError, type Sealer } from './sealer'
import type { TenantKeys } from './tenant-keys'

/**
 * Sealed bytes: format (1 byte), key version (4 bytes, big endian), nonce (12), ciphertext, tag (16).
 * Nonces are random: after 2^32 of them under one key two are alike with a chance of 2^-33 (NIST SP 800-38D, 8.3), which
 * bounds the records that one key version seals; rotation starts anew.
 */
const FORMAT = 1
const HEADER_BYTES = 5
const NONCE_BYTES = 12
const TAG_BYTES = 16
const PLAIN_BYTES_MAX = 64 * 1024 * 1024

export function createSealer({ keys, chance }: { keys: TenantKeys; chance: Chance }): Sealer {
  return {
    seal: async (scope, recordId, plain) => {
      if (plain.length > PLAIN_BYTES_MAX) throw new RangeError(`${plain.length} bytes are too many to seal at once`)
      return keys.withNewest(scope, ({ version, key }) => {
        const header = Buffer.alloc(HEADER_BYTES)
        header.writeUInt8(FORMAT, 0)
        header.writeUInt32BE(version, 1)
        const nonce = chance.bytes(NONCE_BYTES)
        const cipher = createCipheriv('aes-256-gcm', key, nonce)
        cipher.setAAD(boundTo(header, scope, recordId))
        const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()])
        return Buffer.concat([header, nonce, ciphertext, cipher.getAuthTag()])
      })
    },
    open: async (scope, recordId, sealed) => {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
      return keys.withVersion(scope, keyVersionOf(bytes), ({ key }) => decrypt(key, scope, recordId, bytes))
    },
  }
}

/** Which version of its tenant's key sealed this. Throws `SealError` for what is no sealed bytes. */
export function keyVersionOf(sealed: Uint8Array): number {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  if (bytes.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES || bytes.readUInt8(0) !== FORMAT)
    throw new SealError('malformed', 'these are no sealed bytes')
  return bytes.readUInt32BE(1)
}

function decrypt(key: Uint8Array, scope: TenantScope, recordId: string, bytes: Buffer): Buffer {
  const header = bytes.subarray(0, HEADER_BYTES)
  const nonce = bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES)
  const ciphertext = bytes.subarray(HEADER_BYTES + NONCE_BYTES, -TAG_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAAD(boundTo(header, scope, recordId))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  try {
    return Buffer.concat([decipher.update(ciphertext), decipher.final()])
  } catch {
    throw new SealError('does-not-open', 'the sealed bytes were changed, or belong to another record or tenant')
  }
}

/** Header, tenant and record, each with its length in front, so that no two records share the same bytes. */
function boundTo(header: Buffer, { tenantId }: TenantScope, recordId: string): Buffer {
  const parts = [header, Buffer.from(tenantId), Buffer.from(recordId)]
  return Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(part.length)
      return [length, part]
    }),
  )
}
