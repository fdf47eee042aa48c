import type { Clock } from '../base/clock'
import type { TenantScope } from '../storage/tenant-scope'
import { WRITE_MS_MAX } from '../storage/write-gate'
import type { Tenants } from '../tenants/tenants'
import { leftOutOf } from './left-out'
import type { Replica } from './replica'

const ASK_MS = 1_000

export interface Wanted {
  /** Throws where the tenant's record allows no replica any more. */
  readonly mayChange: () => Promise<void>
  /** Breaks writes off that take longer than `WRITE_MS_MAX` from the last asking. */
  readonly signal: AbortSignal
}

/**
 * Works for as long as the tenant may have a replica. As a move's copy does, it asks before its changes and changes nothing later than
 * `WRITE_MS_MAX` after it has asked: offboarding waits longer than that before it deletes anything.
 */
export async function whileWanted<T>(
  {
    tenants,
    replica,
    clock,
  }: { tenants: Pick<Tenants, 'get'>; replica: Pick<Replica, 'region'>; clock: Pick<Clock, 'monotonicMs' | 'after'> },
  scope: TenantScope,
  work: (wanted: Wanted) => Promise<T>,
): Promise<T> {
  const ending = new AbortController()
  let askedMs = -ASK_MS
  let cancel = () => {}
  const mayChange = async () => {
    if (clock.monotonicMs() - askedMs < ASK_MS) return
    const beganMs = clock.monotonicMs()
    const record = await tenants.get(scope)
    if (!record || leftOutOf(record, replica.region) !== undefined)
      throw new Error('the tenant may not be replicated any more')
    cancel()
    cancel = clock.after(Math.max(0, beganMs + WRITE_MS_MAX - clock.monotonicMs()), () => ending.abort())
    askedMs = beganMs
  }
  try {
    return await work({ mayChange, signal: ending.signal })
  } finally {
    cancel()
  }
}
