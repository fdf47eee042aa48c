import type { AccessToken } from '@azure/core-auth'
import type { Clock } from '../base/clock'

/** Tokens by key, fetched once for all who ask meanwhile. */
export interface TokenCache {
  /** At once while a token is good. Rejects as the fetch rejects; failures are not kept. */
  get(key: string): AccessToken | Promise<AccessToken>
}

/** Ahead of expiry a new token is fetched while the old one still serves. */
const REFRESH_AHEAD_MS = 5 * 60_000
/** After a refresh that failed the old token is used this long before the next try. */
const RETRY_PAUSE_MS = 10_000
/** A token is about 2 KB; there is one for each directory and scope. */
const TOKENS_MAX = 2_000

interface Entry {
  readonly token: AccessToken
  refreshFromMs: number
}

export function createTokenCache({
  clock,
  fetch,
}: {
  clock: Clock
  fetch: (key: string) => Promise<AccessToken>
}): TokenCache {
  const entries = new Map<string, Entry>()
  const fetching = new Map<string, Promise<AccessToken>>()

  const refresh = (key: string): Promise<AccessToken> => {
    const underWay = fetching.get(key)
    if (underWay) return underWay
    const fetched = fetch(key)
      .then((token) => {
        entries.delete(key)
        entries.set(key, { token, refreshFromMs: refreshTime(token, clock.now()) })
        const [oldest] = entries.keys()
        if (entries.size > TOKENS_MAX && oldest !== undefined) entries.delete(oldest)
        return token
      })
      .finally(() => fetching.delete(key))
    fetching.set(key, fetched)
    return fetched
  }

  return {
    get: (key) => {
      const entry = entries.get(key)
      const now = clock.now()
      if (!entry || entry.token.expiresOnTimestamp <= now) return refresh(key)
      if (now >= entry.refreshFromMs) {
        entry.refreshFromMs = now + RETRY_PAUSE_MS
        refresh(key).catch(() => {})
      }
      return entry.token
    },
  }
}

/** Of a short-lived token half its life is used, lest it be fetched with every call. */
function refreshTime({ expiresOnTimestamp }: AccessToken, now: number): number {
  return expiresOnTimestamp - Math.min(REFRESH_AHEAD_MS, (expiresOnTimestamp - now) / 2)
}
