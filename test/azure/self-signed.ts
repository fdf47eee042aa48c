import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** A certificate for `localhost` that nobody trusts who is not told to, valid from yesterday until tomorrow. */
export function selfSigned(nowMs = Date.now()): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  // RFC 5280, section 4.1.
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
  const name = sequence(der(SET, sequence(oid('550403'), der(UTF8_STRING, Buffer.from('localhost')))))
  const subjectAltName = sequence(oid('551d11'), der(OCTET_STRING, sequence(der(DNS_NAME, Buffer.from('localhost')))))
  const toBeSigned = sequence(
    der(VERSION, der(INTEGER, Buffer.from([2]))),
    // The first octet keeps it positive.
    der(INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    name,
    sequence(time(nowMs - DAY_MS), time(nowMs + DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(EXTENSIONS, sequence(subjectAltName)),
  )
  const signature = sign('sha256', toBeSigned, privateKey)
  const noUnusedBits = Buffer.from([0])
  const cert = sequence(toBeSigned, ecdsaWithSha256, der(BIT_STRING, Buffer.concat([noUnusedBits, signature])))
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert: pem(cert) }
}

const DAY_MS = 86_400_000
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const OBJECT_ID = 0x06
const UTF8_STRING = 0x0c
const GENERALIZED_TIME = 0x18
const SEQUENCE = 0x30
const SET = 0x31
const DNS_NAME = 0x82
const VERSION = 0xa0
const EXTENSIONS = 0xa3

/** X.690: tag, length (in its long form from 128 on), content. */
function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

const sequence = (...parts: readonly Uint8Array[]) => der(SEQUENCE, Buffer.concat(parts))
const oid = (hex: string) => der(OBJECT_ID, Buffer.from(hex, 'hex'))
const time = (ms: number) => {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return der(GENERALIZED_TIME, Buffer.from(digits))
}
const pem = (bytes: Buffer) =>
  `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
