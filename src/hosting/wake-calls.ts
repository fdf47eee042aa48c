import { BoundedMap } from '../base/bounded-map'
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
  /** When each was asked for last since it sleeps. */
  const askedAt = new BoundedMap<string, number>(ASKED_MAX)
  return (tenantId, { modelId, sinceMs, waking, refused }) => {
    const nowMs = clock.now()
    if (refused && refused.untilMs > nowMs) return
    if (waking && nowMs - waking.sinceMs < WAKE_MS_MAX) return
    const sleep = `${modelId}/${sinceMs}`
    if (nowMs - (askedAt.get(sleep) ?? -Infinity) < ASK_AGAIN_MS) return
    askedAt.keep(sleep, nowMs)
    ask(tenantId, modelId, 'wake').catch((error: unknown) => {
      askedAt.forget(sleep)
      log.warn('a model could not be asked for', { tenantId, modelId, error: describeError(error) })
    })
  }
}
