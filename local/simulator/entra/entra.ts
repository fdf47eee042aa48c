import {
  createPrivateKey,
  createPublicKey,
  createSign,
  generateKeyPairSync,
  randomUUID,
  type KeyObject,
} from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { readBody } from '../request-body'
import { findDirectory, SIMULATED_SECRET, type Directory, type User } from './directories'
import { readToken, type ReadToken } from './read-token'
import { TokenError } from './token-error'

/**
 * Entra ID as far as the platform meets it, under `/entra`: the token endpoint (client credentials, and passwords for signing in
 * on one machine), discovery and the key set. Real RS256 tokens, v2.0, by a key that is made at each start unless one is given.
 */
export interface Entra {
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** What a token says, if it is one of its own. */
  readToken(token: string): ReadToken
  readonly signingKey: SigningKey
}

/** What signs tokens, in a form that can be kept: with it, tokens of before a restart stay good. */
export interface SigningKey {
  readonly kid: string
  /** PKCS #8. */
  readonly pem: string
}

const TOKEN_SECONDS = 3_599
const PATH =
  /^\/entra\/([^/]+)\/(oauth2\/v2\.0\/token|v2\.0\/\.well-known\/openid-configuration|discovery\/v2\.0\/keys)$/

export function createEntra(signingKey: SigningKey = newSigningKey()): Entra {
  const { kid } = signingKey
  const privateKey = createPrivateKey(signingKey.pem)
  const publicKey = createPublicKey(privateKey)

  return {
    signingKey,
    readToken: (token) => readToken(token, publicKey, Date.now()),
    serve: async (request, response) => {
      const authority = `http://${request.headers.host ?? 'localhost'}/entra`
      const [, tenant = '', what = ''] = PATH.exec((request.url ?? '').split('?', 1)[0] ?? '') ?? []
      if (what === 'discovery/v2.0/keys') return send(response, 200, keySet(publicKey, kid, authority))
      if (what.startsWith('v2.0')) return send(response, 200, discovery(authority, tenant))
      if (what === '' || request.method !== 'POST') return send(response, 404, {})
      try {
        const token = await issue(request, tenant, { authority, privateKey, kid })
        send(response, 200, {
          token_type: 'Bearer',
          expires_in: TOKEN_SECONDS,
          ext_expires_in: TOKEN_SECONDS,
          access_token: token,
        })
      } catch (error) {
        if (!(error instanceof TokenError)) throw error
        send(response, error.status, error.body)
      }
    },
  }
}

function newSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { kid: randomUUID(), pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

interface Issuer {
  readonly authority: string
  readonly privateKey: KeyObject
  readonly kid: string
}

async function issue(request: IncomingMessage, tenant: string, issuer: Issuer): Promise<string> {
  const body = await readBody(request)
  if (body.kind !== 'body') throw new TokenError(400, 'invalid_request', 900144, 'The request body is missing.')
  const form = new URLSearchParams(body.text)
  const directory = findDirectory(tenant)
  if (!directory) {
    const text = `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID.`
    throw new TokenError(400, 'invalid_request', 90002, text)
  }
  const audience = audienceOf(form)
  const grant = form.get('grant_type')
  if (grant === 'client_credentials') return signed(issuer, directory, applicationClaims(form, directory, audience))
  if (grant === 'password') return signed(issuer, directory, userClaims(form, directory, audience))
  throw new TokenError(400, 'unsupported_grant_type', 70003, `The app requested an unsupported grant type '${grant}'.`)
}

function audienceOf(form: URLSearchParams): string {
  const scope = form.get('scope') ?? ''
  const [, audience] = /^(?:api:\/\/)?(\S+)\/(?:\.default|\w+)$/.exec(scope) ?? []
  if (audience) return audience
  throw new TokenError(
    400,
    'invalid_scope',
    70011,
    `The provided value for the input parameter 'scope' is not valid: '${scope}'.`,
  )
}

function applicationClaims(form: URLSearchParams, directory: Directory, audience: string): object {
  const clientId = form.get('client_id') ?? ''
  // A directory knows its own applications, and those of others that it has consented to.
  const application = directory.applications.find((app) => app.clientId === clientId)
  if (!application) {
    const text = `Application with identifier '${clientId}' was not found in the directory '${directory.name}'.`
    throw new TokenError(400, 'unauthorized_client', 700016, text)
  }
  if (form.get('client_secret') !== SIMULATED_SECRET)
    throw new TokenError(401, 'invalid_client', 7000215, 'Invalid client secret provided.')
  return { ...claimsOf(application, audience), azp: clientId, azpacr: '1', sub: application.objectId, idtyp: 'app' }
}

function userClaims(form: URLSearchParams, directory: Directory, audience: string): object {
  const [name = ''] = (form.get('username') ?? '').split('@')
  const user = directory.users.find((known) => known.name === name)
  if (!user || form.get('password') !== SIMULATED_SECRET)
    throw new TokenError(
      400,
      'invalid_grant',
      50126,
      'Error validating credentials due to invalid username or password.',
    )
  return {
    ...claimsOf(user, audience),
    azp: form.get('client_id') ?? '',
    azpacr: '0',
    sub: `${user.objectId}-pairwise`,
    scp: 'access_as_user',
    name: user.name,
    preferred_username: `${user.name}@${directory.name}.example`,
  }
}

const claimsOf = ({ objectId, roles }: User, audience: string) => ({
  aud: audience,
  oid: objectId,
  ...(roles.length > 0 ? { roles } : {}),
})

function signed({ authority, privateKey, kid }: Issuer, { id }: Directory, claims: object): string {
  const nowSeconds = Math.floor(Date.now() / 1_000)
  const payload = {
    iss: `${authority}/${id}/v2.0`,
    tid: id,
    iat: nowSeconds,
    nbf: nowSeconds,
    exp: nowSeconds + TOKEN_SECONDS,
    uti: randomUUID(),
    ver: '2.0',
    ...claims,
  }
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${encode({ typ: 'JWT', alg: 'RS256', kid })}.${encode(payload)}`
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`
}

function keySet(publicKey: KeyObject, kid: string, authority: string): object {
  const key = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', issuer: `${authority}/{tenantid}/v2.0` }
  return { keys: [key] }
}

/** The metadata of `common` names the issuer as a template, as Entra's does. */
function discovery(authority: string, tenant: string): object {
  const isShared = tenant === 'common' || tenant === 'organizations'
  const id = isShared ? '{tenantid}' : (findDirectory(tenant)?.id ?? tenant)
  return {
    issuer: `${authority}/${id}/v2.0`,
    token_endpoint: `${authority}/${tenant}/oauth2/v2.0/token`,
    jwks_uri: `${authority}/${tenant}/discovery/v2.0/keys`,
    id_token_signing_alg_values_supported: ['RS256'],
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}
