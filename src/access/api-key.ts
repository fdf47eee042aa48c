import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { Chance } from '../base/chance'
import { encodeBase32, type KeyId, type TenantId } from '../base/ids'

/**
 * An API key is `tnk_<tenant>_<key>_<secret><check>`: the bodies of the two ids, 160 bits of chance and a check.
 * It names its own row, and the check, an HMAC under the platform's pepper, shows that the platform made it: a made-up
 * or mistyped key is refused from its own characters, without a read.
 */
export interface ApiKeys {
  make(tenantId: TenantId, keyId: KeyId): string
  /** Whether the platform made the text, which has the shape of a key. Says nothing of whether the key is still valid. */
  isOurs(text: string): boolean
}

/** What a key says of itself. */
export interface ApiKeyName {
  readonly tenantId: TenantId
  readonly keyId: KeyId
}

const SHAPE = /^tnk_([0-9a-hjkmnp-tv-z]{26})_([0-9a-hjkmnp-tv-z]{26})_[0-9a-hjkmnp-tv-z]{48}$/
const SECRET_BYTES = 20
/** 80 bits, the least to which RFC 2104 (section 5) would cut an HMAC. */
const CHECK_BYTES = 10
const CHECK_CHARACTERS = 16

/** New keys are checked by the first pepper; keys of the others stay valid, so that a pepper can be replaced. */
export function createApiKeys({
  peppers,
  chance,
}: {
  peppers: readonly [string, ...string[]]
  chance: Chance
}): ApiKeys {
  return {
    make: (tenantId, keyId) => {
      const secret = encodeBase32(chance.bytes(SECRET_BYTES))
      const text = `tnk_${tenantId.slice('ten_'.length)}_${keyId.slice('key_'.length)}_${secret}`
      return text + checkOf(text, peppers[0])
    },
    isOurs: (text) => {
      const check = text.slice(-CHECK_CHARACTERS)
      const signed = text.slice(0, -CHECK_CHARACTERS)
      return peppers.some((pepper) => sameText(check, checkOf(signed, pepper)))
    },
  }
}

/** Whose key the text claims to be; undefined for anything that does not look like a key. */
export function nameInKey(text: string): ApiKeyName | undefined {
  const match = SHAPE.exec(text)
  return match ? { tenantId: `ten_${match[1] ?? ''}`, keyId: `key_${match[2] ?? ''}` } : undefined
}

/** The only form in which a key is stored or cached: it has 160 bits of chance, so a plain hash cannot be searched. */
export function digestOf(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Compares without telling by its time how much agrees. Both are ASCII. */
export function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'))
}

function checkOf(text: string, pepper: string): string {
  const mac = createHmac('sha256', pepper).update(text).digest()
  return encodeBase32(mac.subarray(0, CHECK_BYTES))
}
