import type { TokenCredential } from '@azure/core-auth'
import type { Clock } from '../base/clock'
import { throwProblem } from '../base/problem'

/** How a backend is told who we are. */
export type UpstreamCredential =
  { readonly kind: 'api-key'; readonly setting: string } | { readonly kind: 'identity' } | { readonly kind: 'none' }

export interface BackendCredentials {
  /** The header that authenticates us, as `[name, value]`. No wait while a token is fresh. */
  headerOf(
    credential: UpstreamCredential,
    style: 'api-key' | 'bearer',
  ): readonly [string, string] | undefined | Promise<readonly [string, string]>
}

const SCOPE = 'https://cognitiveservices.azure.com/.default'
/** Ahead of expiry a new token is fetched while the old one still serves. */
const REFRESH_AHEAD_MS = 5 * 60_000

/**
 * `settings` holds only what operators may name (see config.ts), so that a backend record cannot send another of the
 * app's secrets to a server of its choice.
 */
export function createBackendCredentials({
  settings,
  identity,
  clock,
}: {
  settings: Readonly<Record<string, string>>
  identity: TokenCredential
  clock: Clock
}): BackendCredentials {
  let token: { value: string; expiresAt: number } | undefined
  let fetching: Promise<string> | undefined

  const fetchToken = () =>
    (fetching ??= identity
      .getToken(SCOPE)
      .then((fresh) => {
        if (!fresh) return throwProblem('upstream_rejected_us', 'The platform has no identity for its model backends.')
        token = { value: fresh.token, expiresAt: fresh.expiresOnTimestamp }
        return fresh.token
      })
      .finally(() => {
        fetching = undefined
      }))

  const bearer = (value: string) => ['authorization', `Bearer ${value}`] as const

  return {
    headerOf: (credential, style) => {
      if (credential.kind === 'none') return undefined
      if (credential.kind === 'api-key') {
        const key = settings[credential.setting]
        if (key === undefined) {
          return throwProblem('upstream_rejected_us', 'The platform has no key for this model backend.', {
            internal: `the app setting ${credential.setting} is not set`,
          })
        }
        return style === 'api-key' ? ['api-key', key] : bearer(key)
      }
      const now = clock.now()
      if (!token || token.expiresAt <= now) return fetchToken().then(bearer)
      if (token.expiresAt - now < REFRESH_AHEAD_MS) fetchToken().catch(() => {})
      return bearer(token.value)
    },
  }
}
