import { tooManyRequests } from '../errors'
import { InvalidRequest } from '../request-fields'
import type { AccountStore } from '../stored/account-store'

const WINDOW_MS = 1_000
/** When each account last took uploads; it goes with the account. */
const taken = new WeakMap<AccountStore, number[]>()

/** Throws the service's 429 where an account has taken its uploads of this second. */
export function checkUploadRate(store: AccountStore, uploadsPerSecond: number, now: number): void {
  if (uploadsPerSecond === 0) return
  const recent = (taken.get(store) ?? []).filter((at) => at > now - WINDOW_MS)
  taken.set(store, recent)
  const [oldest] = recent
  if (recent.length < uploadsPerSecond || oldest === undefined) return void recent.push(now)
  const text = `Uploads have exceeded the rate limit of ${uploadsPerSecond} per second for this resource. Please retry after 1 second.`
  throw new InvalidRequest(tooManyRequests(text, Math.max(1, oldest + WINDOW_MS - now), []))
}
