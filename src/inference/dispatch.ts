import type { Departure } from '../base/departure'
import type { CallId } from '../base/ids'
import { Problem } from '../base/problem'
import type { FairQueue } from '../fairness/fair-queue'
import type { Patience } from '../fairness/turn'
import type { RateView } from '../limits/limiter'
import { stopping } from '../base/stopping'
import { noTokens } from '../metering/usage-record'
import type { Backend } from '../routing/backend'
import type { Grant } from './authorize'
import type { Estimate } from './estimate'
import { fallBack, isWorthFallback, type FallBackDeps } from './fall-back'
import type { UpstreamAnswer } from './forward'
import { inTurn } from './in-turn'
import type { Call } from './read-call'
import type { RunningCall } from './running-call'
import { wakeIfAsleep, type WakeDeps } from './wake-if-asleep'
import { sendCall, type SendDeps } from './send-call'

export interface DispatchDeps extends SendDeps, FallBackDeps, WakeDeps {
  readonly fairQueue: FairQueue
}

export interface Dispatching {
  readonly call: Call
  readonly grant: Grant
  readonly callId: CallId
  readonly running: RunningCall
  readonly estimate: Estimate
  readonly rates: RateView
  /** Of the client, where the server tells. */
  readonly gone: Departure | undefined
  /** Less than other calls have. */
  readonly patience?: Patience | undefined
}

/** An answer, and what the call was reserved for at the alias that gave it: another one where it fell back. */
export interface Dispatched extends Pick<Dispatching, 'grant' | 'estimate' | 'rates'> {
  readonly answer: Exclude<UpstreamAnswer, { kind: 'failed' }>
}

/**
 * Waits for its turn, plans and forwards; where no backend of the alias serves, the same at the alias to which it falls back.
 * Whatever does not lead to an answer ends the running call here.
 */
export async function dispatch(deps: DispatchDeps, input: Dispatching): Promise<Dispatched | Problem> {
  const { call, running } = input
  const fail = (failure: Problem, backend?: Backend, attempts = 0): Problem => {
    const problem = running.isCut ? stopping : failure
    // The stop did not wait for it to fail.
    if (running.ended) return problem
    const { status } = problem.entry
    // Whatever came of it then, nobody waited for it any more.
    const code = input.gone?.hasGone ? 'client_closed_request' : problem.code
    running.end({ outcome: 'failed', status, code, usage: noTokens, estimated: false, backend, attempts })
    return problem
  }
  try {
    let { grant, estimate, rates } = input
    const tried: string[] = []
    // Ends: no alias is tried twice, and each leads to one other.
    for (;;) {
      tried.push(grant.alias.name)
      const answer = wakeIfAsleep(deps, grant) ?? (await sendInTurn(deps, { ...input, grant, estimate }))
      if (!(answer instanceof Problem) && answer.kind !== 'failed') return { answer, grant, estimate, rates }
      const problem = answer instanceof Problem ? answer : answer.problem
      const next = isWorthFallback(problem) ? await fallBack(deps, { call, grant, running, tried }) : undefined
      if (!next) return answer instanceof Problem ? fail(answer) : fail(problem, answer.backend, answer.attempts)
      ;({ grant, estimate, rates } = next)
    }
  } catch (error) {
    const problem = fail(new Problem('internal_error', 'The call failed.'))
    if (running.isCut) return problem
    throw error
  }
}

async function sendInTurn(deps: DispatchDeps, input: Dispatching): Promise<UpstreamAnswer | Problem> {
  const { call, grant, callId, running, estimate, gone, patience } = input
  const { fairQueue } = deps
  const backends = await deps.backends()
  const tokens = { promptTokens: estimate.prompt, outputTokens: estimate.total - estimate.prompt }
  const cancels = grant.tenant.settings.clientGone === 'cancel'
  return inTurn({ fairQueue, grant, backends, tokens: estimate.total, running, gone, patience }, () =>
    sendCall(deps, { call, grant, callId, tokens, running, signal: cancels ? gone?.signal : undefined }),
  )
}
