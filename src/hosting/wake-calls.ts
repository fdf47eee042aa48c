import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import type { AsleepBackend } from '../tenants/asleep-backend'
import { WAKE_MS_MAX, type HostingBeginnings } from './begin-hosting'

/** Asks for a model that sleeps, for a call that does not wait for it. */
export type WakeCalls = (tenantId: TenantId, asleep: AsleepBackend) => void

/** Of this instance; others may ask as well, and one of all of them is heard. */
const ASK_AGAIN_MS = 15_000
const ASKED_MAX = 10_000

/**
 * One message for the calls of a while. It is not waited for: a call whose message is lost is told to come again, and then asks anew.
 */
export function createWakeCalls({
  ask,
  clock,
  log,
}: {
  ask: HostingBeginnings['ask']
  clock: Clock
  log: Log
}): WakeCalls {
  /** When each was asked for last since it sleeps, the oldest first. */
  const askedAt = new Map<string, number>()
  return (tenantId, { modelId, sinceMs, waking, refused }) => {
    const nowMs = clock.now()
    if (refused && refused.untilMs > nowMs) return
    if (waking && nowMs - waking.sinceMs < WAKE_MS_MAX) return
    const sleep = `${modelId}/${sinceMs}`
    if (nowMs - (askedAt.get(sleep) ?? -Infinity) < ASK_AGAIN_MS) return
    askedAt.delete(sleep)
    const oldest = askedAt.size >= ASKED_MAX ? askedAt.keys().next().value : undefined
    if (oldest !== undefined) askedAt.delete(oldest)
    askedAt.set(sleep, nowMs)
    ask(tenantId, modelId, 'wake').catch((error: unknown) => {
      askedAt.delete(sleep)
      log.warn('a model could not be asked for', { tenantId, modelId, error: describeError(error) })
    })
  }
}
