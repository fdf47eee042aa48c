import type { Clock } from '../base/clock'
import { eachOf } from '../base/each-of'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { TimeBox } from '../base/time-box'

export interface TenantWalk {
  readonly tenantIds: () => AsyncIterable<TenantId>
  /** Something to do on behalf of one tenant by itself (I4); how many things there were. A failure is logged, and the walk goes on. */
  readonly look: (tenantId: TenantId) => Promise<number>
  /** Tenants looked at side by side; absent: one after the other. */
  readonly atOnce?: number | undefined
  /** Names the walk in logs: "looking at keys". */
  readonly what: string
  readonly clock: Clock
  readonly log: Log
}

/** Below the half hour that the Functions host gives an invocation; who is left comes first the next time. */
const RUN_MS_MAX = 20 * 60_000

/**
 * A timer's walk over all tenants, in the order of their ids: how many things were looked at. One that takes longer than its time stops,
 * and the next begins behind where it stopped.
 */
export function createTenantWalk({ tenantIds, look, atOnce = 1, what, clock, log }: TenantWalk): () => Promise<number> {
  let beginBehind: TenantId | undefined
  return async () => {
    const time = new TimeBox(clock, RUN_MS_MAX)
    const skipped = beginBehind
    beginBehind = undefined
    let looked = 0
    let last: TenantId | undefined
    await eachOf(time.within(behind(tenantIds(), skipped)), atOnce, async (tenantId) => {
      last = tenantId
      try {
        // In two steps: others add to it while this one is awaited.
        const count = await look(tenantId)
        looked += count
      } catch (error) {
        // Of one whose data is being moved or deleted, say; the next walk comes.
        log.warn(`${what} failed for a tenant`, { tenantId, error: describeError(error) })
      }
    })
    if (time.hasCutOff) {
      // Whoever was begun was looked at to the end, so that nobody in front of `last` is left.
      beginBehind = last
      log.warn(`${what} takes longer than its time`, { looked })
    }
    return looked
  }
}

async function* behind(tenantIds: AsyncIterable<TenantId>, skipped: TenantId | undefined) {
  for await (const tenantId of tenantIds) if (skipped === undefined || tenantId > skipped) yield tenantId
}
