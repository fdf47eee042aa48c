import type { Clock } from '../base/clock'
import { inTime } from '../base/in-time'
import type { Log } from '../base/log'
import type { WindowShape } from './window-state'
import type { StoredWindow, WindowStore } from './window-store'

/** One read or write. Later than this it counts as unanswered; whether it landed shows at the next read. */
const STORAGE_MS_MAX = 1_500

/** A store that answers in bounded time or throws, and that says in the log when the clocks of instances disagree. */
export function watchedStore(
  store: WindowStore,
  { clock, log, shape }: { clock: Clock; log: Log; shape: WindowShape },
): WindowStore {
  const bound = { clock, timeoutMs: STORAGE_MS_MAX, what: 'storage' }
  const answered = async <T>(operation: (signal: AbortSignal) => Promise<T>) => {
    const waiting = new AbortController()
    try {
      return await inTime(bound, operation(waiting.signal))
    } catch (error) {
      // Left to itself it would hold its connection, and be repeated, while the next attempt takes another.
      waiting.abort()
      throw error
    }
  }
  const warnOfClocks = (tenantId: string, stored: StoredWindow | undefined) => {
    const aheadMs = (stored?.state.asOfMs ?? 0) - clock.now()
    if (aheadMs <= shape.skewMsMax) return
    log.warn('the clock of another instance is further ahead than the limits allow for', {
      tenantId,
      aheadMs,
      skewMsMax: shape.skewMsMax,
    })
  }
  return {
    read: async (scope) => {
      const stored = await answered((signal) => store.read(scope, signal))
      warnOfClocks(scope.tenantId, stored)
      return stored
    },
    write: (scope, state, tag) => answered((signal) => store.write(scope, state, tag, signal)),
  }
}
