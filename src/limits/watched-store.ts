import type { Clock } from '../base/clock'
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
      const stored = await inTime(clock, store.read(scope))
      warnOfClocks(scope.tenantId, stored)
      return stored
    },
    write: (scope, state, tag) => inTime(clock, store.write(scope, state, tag)),
  }
}

async function inTime<T>(clock: Clock, operation: Promise<T>): Promise<T> {
  const done = new AbortController()
  const late = clock.sleep(STORAGE_MS_MAX, done.signal).then(() => {
    if (done.signal.aborted) return operation
    throw new Error(`storage did not answer within ${STORAGE_MS_MAX} ms`)
  })
  try {
    return await Promise.race([operation, late])
  } finally {
    done.abort()
  }
}
