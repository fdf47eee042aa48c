import type { Clock } from '../base/clock'
import type { BackendId } from '../base/ids'
import { Problem } from '../base/problem'
import type { FairQueue } from '../fairness/fair-queue'
import { readQuota } from '../fairness/read-quota'
import type { CapacitySign, Turn, TurnRefused, TurnResult } from '../fairness/turn'
import { isBackendFor, type Backend } from '../routing/backend'
import { readUtilization } from '../routing/retry-after'
import type { Grant } from './authorize'
import type { UpstreamAnswer } from './forward'
import { allResting } from './forward-problem'
import type { RunningCall } from './running-call'

export interface InTurn {
  readonly fairQueue: FairQueue
  readonly clock: Clock
  readonly grant: Grant
  readonly backends: ReadonlyMap<BackendId, Backend>
  /** As reserved of the limits. */
  readonly tokens: number
  /** Holds the turn to its end. */
  readonly running: RunningCall
  /** Aborted when the client has gone, where the server tells. */
  readonly gone: AbortSignal | undefined
}

/** A call that can go on to another model waits no longer than this in a line, and asks backends that refused it only once. */
const FALLBACK_PATIENCE_MS = 1_000

/**
 * Sends a call when it has its turn, and again when it next has it while the backends are at capacity: only as long as nothing of
 * an answer has come (I11), and within the bound of a wait. Without signs of saturation nothing is awaited but `send`.
 */
export async function inTurn(
  { fairQueue, clock, grant, backends, tokens, running, gone }: InTurn,
  send: () => Promise<UpstreamAnswer | Problem>,
): Promise<UpstreamAnswer | Problem> {
  const { tenantId, weight } = grant.tenant
  const backendIds = backendsOf(grant, backends)
  const leaving = grant.alias.fallback === undefined ? undefined : new AbortController()
  let result: TurnResult | Promise<TurnResult> = fairQueue.take({
    backendIds,
    tenantId,
    weight,
    tokens,
    priority: 'high',
    gone: leaving ? either(gone, leaving.signal) : gone,
  })
  for (;;) {
    const turn: TurnResult = result instanceof Promise ? await patiently(result, { clock, leaving }) : result
    if (turn.kind === 'refused') return refusalOf(turn)
    running.holds(turn)
    const sent = await send()
    const sign = signOf(sent)
    if (!sign) {
      learn(turn, sent)
      return sent
    }
    leaving?.abort()
    const again = turn.again(sign)
    if (leaving) {
      await again
      return sent
    }
    // Refused at once: nothing is truer than what the backends themselves said.
    if (!(again instanceof Promise)) return sent
    result = again
  }
}

const either = (gone: AbortSignal | undefined, leaving: AbortSignal) =>
  gone ? AbortSignal.any([gone, leaving]) : leaving

async function patiently(
  result: Promise<TurnResult>,
  { clock, leaving }: { clock: Clock; leaving: AbortController | undefined },
): Promise<TurnResult> {
  if (!leaving) return result
  const stop = clock.after(FALLBACK_PATIENCE_MS, () => leaving.abort())
  return result.finally(stop)
}

function learn(turn: Turn, sent: UpstreamAnswer | Problem): void {
  if (sent instanceof Problem || sent.kind === 'failed') return
  turn.learn(sent.backend.id, { quota: readQuota(sent.headers), utilization: readUtilization(sent.headers) })
}

/** Those that may serve the tenant: a call that may go to fewer stands in a line of its own, or it would hold up the others. */
function backendsOf({ tenant, alias }: Grant, backends: ReadonlyMap<BackendId, Backend>): BackendId[] {
  const { residency, tenantId } = tenant
  const ids: BackendId[] = []
  for (const { members } of alias.groups) {
    for (const { backendId, weight } of members) {
      const backend = backends.get(backendId)
      if (!backend?.enabled || weight <= 0 || !isBackendFor(backend, tenantId) || ids.includes(backendId)) continue
      if (residency.length === 0 || residency.includes(backend.region)) ids.push(backendId)
    }
  }
  return ids
}

function signOf(sent: UpstreamAnswer | Problem): CapacitySign | undefined {
  const isProblem = sent instanceof Problem
  if (!isProblem && sent.kind !== 'failed') return undefined
  const { code, retryAfterMs } = isProblem ? sent : sent.problem
  if (code !== 'backends_cooling_down' || retryAfterMs === undefined) return undefined
  const wasSent = !isProblem && sent.attempts > 0
  return { kind: wasSent ? 'throttled' : 'resting', waitMs: retryAfterMs }
}

function refusalOf({ why, retryAfterMs }: TurnRefused): Problem {
  if (why === 'resting') return allResting(retryAfterMs)
  const seconds = Math.ceil(retryAfterMs / 1_000)
  const text = `This model is at capacity, and the tenant's share of it is taken. Retry after ${seconds} s.`
  return new Problem('queue_full', text, { retryAfterMs })
}
