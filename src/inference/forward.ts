import type { UpstreamBody } from '../azure/upstream-body'
import type { UpstreamResponse } from '../azure/upstream-exchange'
import { assertNever } from '../base/assert'
import type { Problem } from '../base/problem'
import type { Backend } from '../routing/backend'
import { attempt, type Attempt, type AttemptDeps, type AttemptInput, type Answered, type Unanswered } from './attempt'
import { unansweredProblem } from './forward-problem'
import { attemptWithHedge, type HedgeBudget } from './hedge'
import type { RunningCall } from './running-call'

/** What a backend answered, with nothing handed to the client yet. */
export type UpstreamAnswer =
  | {
      readonly kind: 'whole'
      readonly status: number
      readonly headers: UpstreamResponse['headers']
      readonly body: Buffer
      readonly backend: Backend
      readonly attempts: number
    }
  /** A stream that has begun to answer: from here on no other backend is tried (I11). */
  | {
      readonly kind: 'stream'
      readonly headers: UpstreamResponse['headers']
      readonly first: Buffer
      readonly rest: Pick<UpstreamBody, 'next' | 'cancel'>
      readonly backend: Backend
      readonly attempts: number
    }
  /** `attempts` is 0 where every backend had come to rest before it was asked. */
  | { readonly kind: 'failed'; readonly problem: Problem; readonly backend: Backend; readonly attempts: number }

export interface ForwardDeps extends AttemptDeps {
  readonly hedges: HedgeBudget
}

export interface ForwardInput extends Omit<AttemptInput, 'ageMs' | 'trace'> {
  /** In the order in which to try them; at least one. */
  readonly candidates: readonly Backend[]
  /** When the first of the backends that the plan passed over is back; undefined where none rests. */
  readonly restMs: number | undefined
  readonly running: Pick<RunningCall, 'ageMs' | 'uses' | 'hedged' | 'tried'> &
    Partial<Pick<RunningCall, 'trace' | 'isCut'>>
}

export const ATTEMPTS_MAX = 4

/**
 * Tries the candidates in order until one answers. Every attempt ends before a byte has reached the client,
 * so each of them is safe to replay; `isSafeToReplay` decides which outcomes are worth it.
 */
export async function forward(deps: ForwardDeps, input: ForwardInput): Promise<UpstreamAnswer> {
  const { candidates, running } = input
  const failures: Unanswered[] = []
  let attempts = 0
  let last: Backend | undefined

  for (let at = 0; at < candidates.length && attempts < ATTEMPTS_MAX;) {
    const backend = candidates[at]
    if (!backend) break
    const tried = await tryFrom(deps, input, at)
    const asked = tried.filter(({ outcome }) => outcome.kind !== 'resting')
    attempts += asked.length
    running.tried({
      attempts: asked.length,
      throttled: asked.filter(({ outcome }) => outcome.kind === 'throttled').length,
    })
    for (const { backend, outcome } of tried) {
      last = backend
      if (isSafeToReplay(outcome)) failures.push(outcome)
      else return answerOf(outcome, { backend, attempts, running })
    }
    if (input.signal?.aborted || running.isCut) break
    at = isOnlyBroken(input, failures) ? at : at + tried.length
  }
  if (!last) throw new Error('forward needs at least one candidate')
  const untried = candidates.length > attempts
  return { kind: 'failed', problem: unansweredProblem(failures, { ...input, untried, last }), backend: last, attempts }
}

interface Tried {
  readonly backend: Backend
  readonly outcome: Attempt
}

/** One attempt, or two that run against each other where the alias hedges; an answer stands last. */
async function tryFrom(deps: ForwardDeps, input: ForwardInput, at: number): Promise<readonly Tried[]> {
  const [backend, next] = input.candidates.slice(at, at + 2)
  if (!backend) return []
  const { running } = input
  const one = (backend: Backend, signal: AbortSignal | undefined) =>
    attempt(deps, { ...input, signal, ageMs: running.ageMs, trace: running.trace?.attempt(backend.id) }, backend)
  const { hedge } = input.grant.alias
  // Of a response that is kept, a second one would be kept that nobody knows.
  const isKept = input.call.keeping?.isStored === true
  if (!hedge || !next || !input.call.stream || isKept) return [{ backend, outcome: await one(backend, input.signal) }]
  return attemptWithHedge(deps, { ...input, hedge, backend, next }, one)
}

/** An outcome after which nothing has been handed to the client and another backend may do better. */
export function isSafeToReplay(outcome: Attempt): outcome is Unanswered {
  switch (outcome.kind) {
    case 'whole':
    case 'stream':
      return false
    case 'throttled':
    case 'resting':
    case 'failed':
    case 'cancelled':
      return true
    default:
      return assertNever(outcome)
  }
}

/** A lone backend is tried a second time where a connection broke under us: mostly an idle one that it had just closed. */
function isOnlyBroken({ candidates }: ForwardInput, failures: readonly Unanswered[]): boolean {
  const [only, second] = failures
  return candidates.length === 1 && !second && only?.kind === 'failed' && only.why === 'broken'
}

function answerOf(
  { hold, ...answered }: Answered,
  { backend, attempts, running }: { backend: Backend; attempts: number; running: ForwardInput['running'] },
): UpstreamAnswer {
  running.uses(hold)
  return { ...answered, backend, attempts }
}
