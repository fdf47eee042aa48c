import type { TokenCredential } from '@azure/core-auth'
import type { Clock } from '../base/clock'
import type { SmallAnswer, SmallHttp } from './small-http'
import { createTokenCache } from './token-cache'
import { UpstreamError } from './upstream-error'

/** An application of a directory, as it proves itself to the token endpoint. */
export interface Application {
  /** The directory that tokens are of unless another is asked for. */
  readonly directoryId: string
  readonly clientId: string
  readonly proof: ApplicationProof
}

export type ApplicationProof =
  | { readonly kind: 'secret'; readonly secret: string }
  /** A token of our managed identity, which the application trusts (a federated identity credential). */
  | { readonly kind: 'assertion'; readonly assertion: () => Promise<string> }

/** The directory gave no token and will not give one to the same request. */
export class TokenRefusedError extends Error {
  /** `AADSTS700016` and the like; the OAuth error where there is none. */
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = 'TokenRefusedError'
    this.code = code
  }
}

const DIRECTORY = /^[A-Za-z0-9.-]{1,100}$/
/** What a token's life is taken for where the endpoint does not say. */
const EXPIRES_SECONDS_DEFAULT = 300
const DESCRIPTION_CHARACTERS_MAX = 500

/**
 * Tokens by client credentials (RFC 6749, section 4.4), with a secret or with an assertion (RFC 7523, section 2.2), from
 * `{authority}/{directory}/oauth2/v2.0/token`. `getToken(scope, { tenantId })` asks another directory, in which the
 * application must have been consented to. Cached by directory and scope until near their end.
 */
export function createOAuthTokens({
  authority,
  application,
  http,
  clock,
}: {
  authority: string
  application: Application
  http: SmallHttp
  clock: Clock
}): TokenCredential {
  const cache = createTokenCache({
    clock,
    fetch: async (key) => {
      const [directoryId = '', scope = ''] = key.split(' ')
      const body = new URLSearchParams({
        client_id: application.clientId,
        scope,
        grant_type: 'client_credentials',
        ...(await proofFields(application.proof)),
      }).toString()
      const answer = await http.send({
        method: 'POST',
        url: `${authority}/${directoryId}/oauth2/v2.0/token`,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
      })
      return tokenIn(answer, clock.now())
    },
  })
  return {
    getToken: async (scopes, options) => {
      const directoryId = options?.tenantId ?? application.directoryId
      if (!DIRECTORY.test(directoryId)) throw new TokenRefusedError('invalid_directory', 'This is no directory’s id.')
      return cache.get(`${directoryId} ${[scopes].flat().join('+')}`)
    },
  }
}

async function proofFields(proof: ApplicationProof): Promise<Record<string, string>> {
  if (proof.kind === 'secret') return { client_secret: proof.secret }
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await proof.assertion(),
  }
}

function tokenIn({ status, body }: SmallAnswer, now: number) {
  const answer = (body ?? {}) as TokenAnswer
  if (status === 200 && typeof answer.access_token === 'string') {
    const seconds = Number(answer.expires_in ?? EXPIRES_SECONDS_DEFAULT)
    return { token: answer.access_token, expiresOnTimestamp: now + seconds * 1_000 }
  }
  if (status === 429 || status >= 500) throw new UpstreamError('broken', `the token endpoint answered HTTP ${status}`)
  const description = textOf(answer.error_description, `HTTP ${status}`).slice(0, DESCRIPTION_CHARACTERS_MAX)
  const code = /AADSTS\d+/.exec(description)?.[0] ?? textOf(answer.error, `HTTP ${status}`).slice(0, 100)
  throw new TokenRefusedError(code, description)
}

const textOf = (value: unknown, usual: string) => (typeof value === 'string' ? value : usual)

interface TokenAnswer {
  readonly access_token?: unknown
  readonly expires_in?: unknown
  readonly error?: unknown
  readonly error_description?: unknown
}
