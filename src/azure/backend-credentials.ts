import type { TokenCredential } from '@azure/core-auth'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { throwProblem } from '../base/problem'
import { createStaleCache } from '../base/stale-cache'
import { TenantScope } from '../storage/tenant-scope'
import { TokenRefusedError } from './oauth-tokens'
import type { AccountKeys } from './account-keys'
import type { SecretStore } from './secret-store'
import { createTokenCache } from './token-cache'

/** How a backend is told who we are. */
export type UpstreamCredential =
  | { readonly kind: 'api-key'; readonly setting: string }
  | { readonly kind: 'identity' }
  /** A key that the backend's owner handed over, by the name under which it is kept. */
  | { readonly kind: 'tenant-secret'; readonly name: string }
  | { readonly kind: 'none' }

/** What of a backend says by which credential it is called. */
export interface Authenticated {
  /** Of a key whether the platform rotates it itself. */
  readonly endpoint: string
  readonly credential: UpstreamCredential
  /** The tenant whose backend it is. */
  readonly ownerTenantId?: TenantId | undefined
  /** The directory of its account, where that is not the platform's own. */
  readonly directoryId?: string | undefined
}

type Header = readonly [string, string]

export interface BackendCredentials {
  /** The header that authenticates us, as `[name, value]`. No wait while a token or a secret is fresh. */
  headerOf(backend: Authenticated, style: 'api-key' | 'bearer'): Header | undefined | Promise<Header>
}

export const INFERENCE_SCOPE = 'https://cognitiveservices.azure.com/.default'

/** The cache's word for the platform's own directory. */
const OWN_DIRECTORY = ''
/** A secret that was replaced or removed is used no longer than this. */
const SECRET_FRESH_MS = 10_000
const SECRET_STALE_MS = 25_000
const SECRETS_MAX = 5_000

/**
 * `settings` holds only what operators may name (see config.ts), so that a backend record cannot send another of the
 * app's secrets to a server of its choice.
 */
export function createBackendCredentials({
  settings,
  accountKeys,
  identity,
  secrets,
  clock,
}: {
  settings: Readonly<Record<string, string>>
  /** Keys that the platform rotates stand before what settings say. Absent: it rotates none. */
  accountKeys?: AccountKeys
  identity: TokenCredential
  secrets: Pick<SecretStore, 'get'>
  clock: Clock
}): BackendCredentials {
  const tokens = createTokenCache({ clock, fetch: (directoryId) => inferenceToken(identity, directoryId) })
  const handedOver = createStaleCache<{ tenantId: TenantId; name: string }, string | undefined>({
    clock,
    // On the data path the owner is the caller: a route passes over backends of others.
    load: ({ tenantId, name }) => secrets.get(TenantScope.ofCaller({ tenantId }), name),
    freshMs: SECRET_FRESH_MS,
    staleMs: SECRET_STALE_MS,
    entriesMax: SECRETS_MAX,
    onError: () => {},
    idOf: ({ tenantId, name }) => `${tenantId}/${name}`,
  })

  return {
    headerOf: ({ credential, ownerTenantId, directoryId, endpoint }, style) => {
      const withKey = (key: string): Header => (style === 'api-key' ? ['api-key', key] : bearer(key))
      switch (credential.kind) {
        case 'none':
          return undefined
        case 'api-key': {
          const { setting } = credential
          const given = (rotated: string | undefined) =>
            withKey(rotated ?? settings[setting] ?? noKey(`the app setting ${setting} is not set`))
          const rotated = accountKeys?.keyOf(endpoint)
          return rotated instanceof Promise ? rotated.then(given) : given(rotated)
        }
        case 'tenant-secret': {
          if (ownerTenantId === undefined) return noKey('a backend without an owner names a tenant’s secret')
          const found = handedOver.get({ tenantId: ownerTenantId, name: credential.name })
          const missing = `${ownerTenantId} has no secret "${credential.name}"`
          return found instanceof Promise
            ? found.then((key) => withKey(key ?? noKey(missing)))
            : withKey(found ?? noKey(missing))
        }
        case 'identity': {
          const token = tokens.get(directoryId ?? OWN_DIRECTORY)
          return token instanceof Promise ? token.then((fresh) => bearer(fresh.token)) : bearer(token.token)
        }
      }
    },
  }
}

const bearer = (value: string): Header => ['authorization', `Bearer ${value}`]

const noKey = (internal: string): never =>
  throwProblem('upstream_rejected_us', 'The platform has no key for this model backend.', { internal })

/** A refusal is final for this call; where no answer came, another backend may serve. */
async function inferenceToken(identity: TokenCredential, directoryId: string) {
  const noIdentity = (internal: string) =>
    throwProblem('upstream_rejected_us', 'The platform has no identity for its model backends.', { internal })
  try {
    const options = directoryId === OWN_DIRECTORY ? {} : { tenantId: directoryId }
    return (await identity.getToken(INFERENCE_SCOPE, options)) ?? noIdentity('no token')
  } catch (error) {
    if (error instanceof TokenRefusedError) return noIdentity(`${error.code}: ${error.message}`)
    throw error
  }
}
