import type { Clock } from '../base/clock'
import { idTimeMs } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { TenantScope } from '../storage/tenant-scope'
import { isUnmetered, type EndResponse } from './end-response'
import type { HeldResponses } from './held-responses'
import type { OpenResponse, OpenResponses } from './open-responses'
import type { ResponseStore } from './response-store'

export interface FollowUpDeps {
  readonly store: ResponseStore
  readonly open: OpenResponses
  readonly held: Pick<HeldResponses, 'followUp'>
  readonly end: EndResponse
  readonly clock: Clock
  readonly log: Log
}

/** In one run; the next one goes on behind them, so that none is passed over for ever. */
const RESPONSES_MAX = 2_000
const AT_ONCE = 16
/** A run ends before the next one begins. */
const RUN_MS_MAX = 50_000
/** Between the two writes with which one begins, its row may not be there yet. */
const YOUNG_MS_MAX = 5 * 60_000

/**
 * Looks after the responses in the background that nobody has metered yet: each run asks their accounts how they stand. Run it each
 * minute; late, twice at once or after a crash, each of them counts once. How many it found over.
 */
export function createFollowUp(deps: FollowUpDeps): () => Promise<number> {
  const { open, clock, log } = deps
  let last: OpenResponse | undefined
  return async () => {
    const startedMs = clock.monotonicMs()
    const found = await open.after(last, RESPONSES_MAX)
    last = found.length < RESPONSES_MAX ? undefined : found.at(-1)
    let over = 0
    for (let at = 0; at < found.length; at += AT_ONCE) {
      if (clock.monotonicMs() - startedMs > RUN_MS_MAX) {
        last = found[at - 1]
        break
      }
      const some = found.slice(at, at + AT_ONCE)
      const results = await Promise.all(
        some.map((one) =>
          lookAfter(deps, one).catch((error: unknown) => {
            log.warn('a response in the background was not followed up', { ...one, error: describeError(error) })
            return false
          }),
        ),
      )
      over += results.filter(Boolean).length
    }
    return over
  }
}

/** Whether nothing is left to be done for it. */
async function lookAfter({ store, open, held, end, clock }: FollowUpDeps, one: OpenResponse): Promise<boolean> {
  const scope = TenantScope.ofPlatform(one.tenantId)
  const record = await store.get(scope, one.id)
  if (!record) {
    if (clock.now() - idTimeMs(one.id) > YOUNG_MS_MAX) await open.remove(one)
    return false
  }
  if (!isUnmetered(record)) {
    await open.remove(one)
    return true
  }
  if (record.metering?.kind !== 'claimed' && clock.now() < record.expiresAt) return held.followUp(scope, record)
  // It only has to be entered; or the account has forgotten it by now, and what it was is never told.
  await end(scope, record.id, { status: 'failed', usage: undefined, itemIds: [] })
  return true
}
