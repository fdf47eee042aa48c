import type { Clock } from '../base/clock'
import { Problem, ProblemError } from '../base/problem'
import type { PlaceContents } from './place-contents'
import type { PlaceRecord } from './places'
import type { TenantBlobs } from './tenant-blobs'
import type { DataPlace, TenantRows } from './tenant-data'
import type { TenantScope } from './tenant-scope'

/**
 * From the reading of the place to the end of the write; what takes longer is broken off. So a move knows that `WRITE_MS_MAX`
 * after its fence nothing is written in the old place any more.
 */
export const WRITE_MS_MAX = 8_000
/** How long a write waits at a fence before it is refused: a catch-up is usually over by then. */
export const FENCE_WAIT_MS = 15_000
const FENCE_POLL_MS = 500

/** Runs a write where the tenant's data lies now. */
export type WriteGate = <T>(scope: TenantScope, write: (contents: PlaceContents) => Promise<T>) => Promise<T>

/** Writes ask storage for the place, not the cache: one to a place that was left would be lost. */
export function createWriteGate({
  read,
  contents,
  clock,
}: {
  read: (scope: TenantScope) => Promise<PlaceRecord>
  contents: (scope: TenantScope, place: DataPlace, signal: AbortSignal) => Promise<PlaceContents>
  clock: Clock
}): WriteGate {
  return async (scope, write) => {
    const waitsUntilMs = clock.monotonicMs() + FENCE_WAIT_MS
    for (;;) {
      const result = await within(clock, WRITE_MS_MAX, async (signal) => {
        const { place, move } = await read(scope)
        const fencedMs = (move?.fencedUntilMs ?? 0) - clock.now()
        if (fencedMs > 0) return { kind: 'fenced', fencedMs } as const
        signal.throwIfAborted()
        return { kind: 'written', value: await write(await contents(scope, place, signal)) } as const
      })
      if (result.kind === 'written') return result.value
      if (clock.monotonicMs() >= waitsUntilMs) throw new ProblemError(movingProblem(result.fencedMs))
      await clock.sleep(FENCE_POLL_MS)
    }
  }
}

/** Aborts the signal when `work` has taken `ms`. */
export async function within<T>(clock: Clock, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController()
  const cancel = clock.after(ms, () => ending.abort(new Error(`storage did not answer within ${ms} ms`)))
  try {
    return await work(ending.signal)
  } finally {
    cancel()
  }
}

const movingProblem = (retryAfterMs: number) =>
  new Problem('tenant_moving', 'This tenant’s data is being moved. Reading works; repeat the change in a moment.', {
    retryAfterMs,
  })

/** Reads as `readable` does, writes through the gate. */
export const writingRows = (
  readable: TenantRows,
  gated: <T>(write: (rows: TenantRows) => Promise<T>) => Promise<T>,
): TenantRows => ({
  get: readable.get,
  range: readable.range,
  insert: (...args) => gated((rows) => rows.insert(...args)),
  replace: (...args) => gated((rows) => rows.replace(...args)),
  put: (...args) => gated((rows) => rows.put(...args)),
  remove: (...args) => gated((rows) => rows.remove(...args)),
  change: (...args) => gated((rows) => rows.change(...args)),
})

export const writingBlobs = (
  readable: TenantBlobs,
  gated: <T>(write: (blobs: TenantBlobs) => Promise<T>) => Promise<T>,
): TenantBlobs => ({
  get: readable.get,
  list: readable.list,
  put: (...args) => gated((blobs) => blobs.put(...args)),
  remove: (...args) => gated((blobs) => blobs.remove(...args)),
})
