import type { TokenCredential } from '@azure/core-auth'
import type { Clock } from '../base/clock'
import { createOAuthTokens, TokenRefusedError } from './oauth-tokens'
import type { SmallHttp } from './small-http'

/** The application registration by which the platform is known to other directories than its own. */
export interface ApplicationSettings {
  readonly directoryId: string
  readonly clientId: string
  /** Without one the app's managed identity vouches for the application. */
  readonly secret: string | undefined
}

/** What the managed identity's token must be for when it stands for an application (workload identity federation). */
const EXCHANGE_SCOPE = 'api://AzureADTokenExchange/.default'

/**
 * The app's identity, one credential for all that it calls: by default the managed identity (on one machine whoever is
 * signed in); an application with a secret takes its place. `getToken(scope, { tenantId })` is for a tenant's directory, and
 * takes an application that was consented to there.
 */
export function appIdentity({
  identityClientId,
  authority,
  application,
  http,
  clock,
}: {
  identityClientId: string | undefined
  authority: string
  application: ApplicationSettings | undefined
  http: SmallHttp
  clock: Clock
}): TokenCredential {
  const own = managedIdentity(identityClientId)
  if (!application) {
    return {
      getToken: async (scopes, options) => {
        if (options?.tenantId !== undefined) throw noApplication
        return own.getToken(scopes, options)
      },
    }
  }
  const { directoryId, clientId, secret } = application
  if (secret !== undefined) {
    const proof = { kind: 'secret', secret } as const
    return createOAuthTokens({ authority, application: { directoryId, clientId, proof }, http, clock })
  }
  const assertion = async () => {
    const token = await own.getToken(EXCHANGE_SCOPE)
    if (!token) throw new TokenRefusedError('no_identity', 'The platform has no managed identity.')
    return token.token
  }
  const proof = { kind: 'assertion', assertion } as const
  const others = createOAuthTokens({ authority, application: { directoryId, clientId, proof }, http, clock })
  return {
    getToken: (scopes, options) =>
      options?.tenantId === undefined ? own.getToken(scopes, options) : others.getToken(scopes, options),
  }
}

const noApplication = new TokenRefusedError(
  'no_application',
  'The platform has no application that a tenant’s directory could know (AZURE_CLIENT_ID, AZURE_TENANT_ID).',
)

/** Its packages are a quarter of the app's start, so they are loaded with the first token. */
function managedIdentity(clientId: string | undefined): TokenCredential {
  let credential: Promise<TokenCredential> | undefined
  const load = async () => {
    const { DefaultAzureCredential } = await import('@azure/identity')
    return new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId })
  }
  return {
    getToken: async (scopes, options) => (await (credential ??= load())).getToken(scopes, options),
  }
}
