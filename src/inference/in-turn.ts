import type { Departure } from '../base/departure'
import type { BackendId } from '../base/ids'
import { Problem } from '../base/problem'
import { stopping } from '../base/stopping'
import type { FairQueue } from '../fairness/fair-queue'
import { readQuota } from '../fairness/read-quota'
import type { CapacitySign, Patience, Turn, TurnRefused, TurnResult } from '../fairness/turn'
import { isBackendFor } from '../routing/backend'
import { readUtilization } from '../routing/retry-after'
import { measureNow } from '../tenants/measure'
import type { Grant } from './authorize'
import type { UpstreamAnswer } from './forward'
import { allResting } from './forward-problem'
import type { RunningCall } from './running-call'
import type { BackendLookup } from './send-call'

export interface InTurn {
  readonly fairQueue: FairQueue
  readonly grant: Grant
  readonly backends: BackendLookup
  /** As reserved of the limits. */
  readonly tokens: number
  /** Holds the turn to its end. */
  readonly running: RunningCall
  /** Of the client, where the server tells. */
  readonly gone: Departure | undefined
  /** Of a call that can come again; undefined where its alias says all there is to say. */
  readonly patience?: Patience | undefined
}

/** A call that can go on to another model waits for this one no longer, and asks backends that refused it only once. */
const FALLBACK_PATIENCE: Patience = { waitMsMax: 1_000, triesMax: 1 }

/**
 * Sends a call when it has its turn, and again when it next has it while the backends are at capacity: only as long as nothing of
 * an answer has come (I11), and within the bound of a wait. Without signs of saturation nothing is awaited but `send`.
 */
export async function inTurn(
  { fairQueue, grant, backends, tokens, running, gone, patience }: InTurn,
  send: () => Promise<UpstreamAnswer | Problem>,
): Promise<UpstreamAnswer | Problem> {
  const { tenantId } = grant.tenant
  const backendIds = backendsOf(grant, backends)
  let result: TurnResult | Promise<TurnResult> = fairQueue.take({
    backendIds,
    tenantId,
    weight: weightOf(grant, running.startedAt),
    tokens,
    priority: 'high',
    gone,
    patience: patience ?? (grant.alias.fallback === undefined ? undefined : FALLBACK_PATIENCE),
  })
  for (;;) {
    const turn: TurnResult = result instanceof Promise ? await timed(result, running) : result
    if (turn.kind === 'refused') return refusalOf(turn)
    running.holds(turn)
    const sent = await send()
    const sign = signOf(sent)
    if (!sign) {
      learn(turn, sent)
      return sent
    }
    const again = turn.again(sign)
    // Refused at once: nothing is truer than what the backends themselves said.
    if (!(again instanceof Promise)) return sent
    result = again
  }
}

/** Who is in others' way has less than its weight, while the measure holds. */
function weightOf({ tenant, alias }: Grant, nowMs: number): number {
  const measure = measureNow(alias, nowMs)
  return measure && measure.kind !== 'quarantine' ? tenant.weight * measure.weightShare : tenant.weight
}

async function timed(coming: Promise<TurnResult>, running: RunningCall): Promise<TurnResult> {
  const beganMs = running.ageMs
  const turn = await coming
  running.queued(running.ageMs - beganMs)
  return turn
}

function learn(turn: Turn, sent: UpstreamAnswer | Problem): void {
  if (sent instanceof Problem || sent.kind === 'failed') return
  turn.learn(sent.backend.id, { quota: readQuota(sent.headers), utilization: readUtilization(sent.headers) })
}

/** Those that may serve the tenant: a call that may go to fewer stands in a line of its own, or it would hold up the others. */
function backendsOf({ tenant, alias }: Grant, backends: BackendLookup): BackendId[] {
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
  if (why === 'stopping') return stopping
  const seconds = Math.ceil(retryAfterMs / 1_000)
  const text = `This model is at capacity, and the tenant's share of it is taken. Retry after ${seconds} s.`
  return new Problem('queue_full', text, { retryAfterMs })
}
