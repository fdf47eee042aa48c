import type { Clock } from '../base/clock'
import type { AliasHedge } from '../tenants/snapshot'
import type { Backend } from '../routing/backend'
import type { Answered, Attempt, AttemptInput } from './attempt'
import type { RunningCall } from './running-call'

/**
 * How many calls may be hedged: a share of an alias's streams, in a bucket that a few can be taken from at once. Each instance
 * counts its own calls, so that the share holds for all of them together.
 */
export interface HedgeBudget {
  /** Counts a stream of the alias. */
  earn(aliasKey: string, shareMax: number): void
  /** Whether one of them may be hedged now. */
  spend(aliasKey: string): boolean
}

/** A burst of slow answers takes so many hedges at once. */
const HEDGES_AT_ONCE_MAX = 10
const ALIASES_MAX = 10_000

export function createHedgeBudget(): HedgeBudget {
  const credits = new Map<string, number>()
  return {
    earn: (aliasKey, shareMax) => {
      const oldest = credits.size >= ALIASES_MAX && !credits.has(aliasKey) ? credits.keys().next().value : undefined
      if (oldest !== undefined) credits.delete(oldest)
      credits.set(aliasKey, Math.min(HEDGES_AT_ONCE_MAX, (credits.get(aliasKey) ?? 0) + shareMax))
    },
    spend: (aliasKey) => {
      const credit = credits.get(aliasKey) ?? 0
      // Shares are decimal fractions: ten tenths are a little less than one.
      if (credit < 1 - 1e-9) return false
      credits.set(aliasKey, credit - 1)
      return true
    },
  }
}

interface HedgeInput extends Pick<AttemptInput, 'grant' | 'signal' | 'tokens'> {
  readonly hedge: AliasHedge
  readonly backend: Backend
  readonly next: Backend
  readonly running: Pick<RunningCall, 'hedged'>
}

interface Tried {
  readonly backend: Backend
  readonly outcome: Attempt
}

/**
 * Asks a second backend when the first has not begun to answer after `afterMs`; whichever begins first serves, and the other
 * is cancelled. What the loser may be billed for is noted on the call: its prompt, by our estimate. Nothing of either has
 * reached the client before one of them is chosen (I11).
 */
export async function attemptWithHedge(
  { clock, hedges }: { clock: Clock; hedges: HedgeBudget },
  { grant, hedge, backend, next, running, signal, tokens }: HedgeInput,
  one: (backend: Backend, signal: AbortSignal) => Promise<Attempt>,
): Promise<readonly Tried[]> {
  const aliasKey = `${grant.tenant.tenantId}/${grant.alias.name}`
  hedges.earn(aliasKey, hedge.shareMax)
  const first = start(one, backend, signal)
  if (!(await isSlow(first.ended, clock, hedge.afterMs)) || !hedges.spend(aliasKey)) return [await first.ended]

  const second = start(one, next, signal)
  const winner = await Promise.race([first.ended, second.ended])
  const behind = winner.backend === backend ? second : first
  // One that failed leaves the race to the other.
  if (!isAnswer(winner.outcome)) return [winner, await behind.ended]
  behind.cancel()
  const lost = await behind.ended
  if (wasSent(lost.outcome)) running.hedged(tokens.promptTokens)
  if (isAnswer(lost.outcome)) {
    discard(lost.outcome, tokens.promptTokens)
    return [winner]
  }
  return [lost, winner]
}

interface Racer {
  readonly ended: Promise<Tried>
  cancel(): void
}

function start(
  one: (backend: Backend, signal: AbortSignal) => Promise<Attempt>,
  backend: Backend,
  gone: AbortSignal | undefined,
): Racer {
  const lost = new AbortController()
  const signal = gone ? AbortSignal.any([gone, lost.signal]) : lost.signal
  return {
    ended: one(backend, signal).then((outcome) => ({ backend, outcome })),
    cancel: () => lost.abort(),
  }
}

async function isSlow(ended: Promise<unknown>, clock: Clock, afterMs: number): Promise<boolean> {
  let cancel = () => {}
  const slow = new Promise<true>((resolve) => {
    cancel = clock.after(afterMs, () => resolve(true))
  })
  try {
    return await Promise.race([slow, ended.then(() => false)])
  } finally {
    cancel()
  }
}

const isAnswer = (outcome: Attempt): outcome is Answered => outcome.kind === 'whole' || outcome.kind === 'stream'

const wasSent = (outcome: Attempt) => isAnswer(outcome) || (outcome.kind === 'cancelled' && outcome.sent)

/** It began in the same moment as the other. */
function discard(answer: Answered, promptTokens: number): void {
  if (answer.kind === 'stream') answer.rest.cancel('another backend serves the call')
  answer.hold.settle({ promptTokens, cachedTokens: 0, outputTokens: 0 })
}
