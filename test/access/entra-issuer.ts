import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'

/** A small issuer of real RS256 tokens over a real socket, as Entra is one, for several directories. */
export interface EntraIssuer {
  readonly authority: string
  /** A v2.0 access token; claims given replace the usual ones, `undefined` leaves one out. */
  token(
    directoryId: string,
    claims?: Record<string, unknown>,
    signing?: { key?: number; alg?: string },
  ): Promise<string>
  /** How often the keys were fetched. */
  fetches(): number
  /** From now on the keys cannot be had. */
  breakKeys(): void
  close(): Promise<void>
}

export const AUDIENCE = '11111111-2222-4333-8444-555555555555'

/** `keyIssuers`: what each published key names as its issuer, as Entra's do. */
export async function startEntraIssuer(
  keyIssuers: readonly string[] = ['{authority}/{tenantid}/v2.0'],
): Promise<EntraIssuer> {
  const pairs = await Promise.all(keyIssuers.map(() => generateKeyPair('RS256', { extractable: true })))
  let fetches = 0
  let broken = false
  const published: JWK[] = []
  const server = createServer((_, response) => {
    fetches++
    if (broken) return response.writeHead(503).end()
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: published }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const authority = `http://127.0.0.1:${(server.address() as AddressInfo).port}/entra`
  for (const [i, { publicKey }] of pairs.entries()) {
    const issuer = keyIssuers[i]?.replace('{authority}', authority)
    published.push({ ...(await exportJWK(publicKey)), kid: `key-${i}`, use: 'sig', ...(issuer ? { issuer } : {}) })
  }
  return {
    authority,
    token: (directoryId, claims = {}, { key = 0, alg = 'RS256' } = {}) => {
      const nowSeconds = Math.floor(Date.now() / 1_000)
      const payload = {
        aud: AUDIENCE,
        iss: `${authority}/${directoryId}/v2.0`,
        tid: directoryId,
        oid: '99999999-0000-4000-8000-000000000001',
        ver: '2.0',
        iat: nowSeconds,
        nbf: nowSeconds,
        exp: nowSeconds + 3_600,
        ...claims,
      }
      const pair = pairs[key]
      if (!pair) throw new Error(`there is no key ${key}`)
      const given = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined))
      return new SignJWT(given).setProtectedHeader({ alg, kid: `key-${key}`, typ: 'JWT' }).sign(pair.privateKey)
    },
    fetches: () => fetches,
    breakKeys: () => {
      broken = true
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
