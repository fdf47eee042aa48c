import { Problem } from '../base/problem'
import type { Credential } from './caller'

/** What both the Functions library's headers and a plain `Headers` offer. */
export interface HeaderReader {
  get(name: string): string | null
}

/** Three base64url parts, the first a JSON object: what Entra and any other issuer of JWTs sends. */
const JSON_WEB_TOKEN = /^eyJ[\w-]*\.[\w-]+\.[\w-]*$/
export const isJsonWebToken = (text: string) => JSON_WEB_TOKEN.test(text)

const BEARER = /^Bearer +(\S+) *$/i

/**
 * The credential in `api-key` or `Authorization: Bearer`, the two ways in which Azure and OpenAI clients send one.
 * Both at once are fine where they say the same; two different ones are refused rather than one of them chosen.
 */
export function readCredential(headers: HeaderReader): Credential | Problem {
  const apiKey = headers.get('api-key')?.trim()
  const bearer = BEARER.exec(headers.get('authorization') ?? '')?.[1]
  if (apiKey && bearer && apiKey !== bearer)
    return new Problem(
      'invalid_request',
      'The `api-key` header and the `Authorization` header carry different credentials. Send one of them.',
      { param: 'authorization' },
    )
  const text = apiKey || bearer
  if (!text) return { kind: 'none' }
  return { kind: JSON_WEB_TOKEN.test(text) ? 'entra-token' : 'api-key', text }
}
