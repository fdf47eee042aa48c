import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { selfSigned } from './self-signed'

interface KeyVersion {
  readonly version: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  enabled: boolean
  expired: boolean
}

export interface VaultRequest {
  readonly method: string
  readonly path: string
  readonly token: string | undefined
}

/** An answer to be given instead of the right one, once. */
export interface VaultFault {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
}

const KEY_NAME = 'wrapping-key'
const TOKEN = 'token-for-the-vault'

/**
 * Key Vault's keys over real TLS, as far as wrapping goes (REST, `/keys`): the challenge that comes before any body is read, versions,
 * RSA-OAEP-256, and a version that is disabled (403) or expired (unwraps, but wraps no more).
 */
export async function serveKeyVault({ resource = 'https://vault.localhost' } = {}) {
  const { key, cert } = selfSigned()
  const versions: KeyVersion[] = []
  const requests: VaultRequest[] = []
  const faults: VaultFault[] = []
  const rotate = () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2_048 })
    versions.push({ ...pair, version: String(versions.length + 1).padStart(32, '0'), enabled: true, expired: false })
  }
  rotate()

  const respond = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    let text = ''
    for await (const chunk of incoming) text += String(chunk)
    const { pathname } = new URL(incoming.url ?? '/', url)
    const token = incoming.headers.authorization?.replace('Bearer ', '')
    requests.push({ method: incoming.method ?? 'GET', path: pathname, token })
    const send = (status: number, body: object, headers: Readonly<Record<string, string>> = {}) =>
      outgoing.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    if (token !== TOKEN) {
      const challenge = `Bearer authorization="https://login.localhost/directory", resource="${resource}"`
      return send(401, { error: { code: 'Unauthorized' } }, { 'www-authenticate': challenge })
    }
    const fault = faults.shift()
    if (fault) return send(fault.status, { error: { code: 'Fault', message: 'as the test wants it' } }, fault.headers)
    const [, , name, version, operation] = pathname.split('/')
    const found = version ? versions.find((each) => each.version === version) : versions.at(-1)
    if (name !== KEY_NAME || !found) return send(404, { error: { code: 'KeyNotFound', message: 'not found' } })
    if (operation && !found.enabled) return send(403, { error: { code: 'Forbidden', message: 'disabled' } })
    return send(200, answerOf(found, operation, text))
  }

  const answerOf = (found: KeyVersion, operation: string | undefined, text: string) => {
    const kid = `${url}/keys/${KEY_NAME}/${found.version}`
    if (!operation) {
      const { kty, n, e } = found.publicKey.export({ format: 'jwk' })
      const exp = Math.floor(Date.now() / 1_000) + (found.expired ? -60 : 3_600)
      return { key: { kid, kty, n, e, key_ops: ['wrapKey', 'unwrapKey'] }, attributes: { enabled: found.enabled, exp } }
    }
    const { alg, value } = JSON.parse(text) as { alg: string; value: string }
    if (alg !== 'RSA-OAEP-256') throw new Error(`the platform wraps by RSA-OAEP-256, not by ${alg}`)
    const padded = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
    const bytes = Buffer.from(value, 'base64url')
    const result =
      operation === 'wrapkey'
        ? publicEncrypt({ key: found.publicKey, ...padded }, bytes)
        : privateDecrypt({ key: found.privateKey, ...padded }, bytes)
    return { kid, value: result.toString('base64url') }
  }

  const server = createServer({ key, cert }, (incoming, outgoing) => {
    respond(incoming, outgoing).catch((error: unknown) => outgoing.writeHead(500).end(String(error)))
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  return {
    url,
    cert,
    keyName: KEY_NAME,
    token: TOKEN,
    versions,
    requests: requests as readonly VaultRequest[],
    rotate,
    failNext: (...next: readonly VaultFault[]) => void faults.push(...next),
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
