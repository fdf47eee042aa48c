import type { Caller, Credential } from '../access/caller'
import type { FailedAttempts } from '../access/failed-attempts'
import { readCredential } from '../access/read-credential'
import type { Chance } from '../base/chance'
import type { BackendId, CallId, IdMaker, TenantId } from '../base/ids'
import { describeError } from '../base/log'
import type { MicroUsd } from '../base/money'
import { Problem, ProblemError } from '../base/problem'
import type { FairQueue } from '../fairness/fair-queue'
import type { AdmissionResult, Limiter } from '../limits/limiter'
import type { UsageLog } from '../metering/usage-log'
import { noTokens, type TokenUsage } from '../metering/usage-record'
import type { Backend } from '../routing/backend'
import { planRoute } from '../routing/plan-route'
import type { TenantSnapshot } from '../tenants/snapshot'
import { accountOf, type Account } from './account'
import { renderProblem, type Answer } from './answer'
import { rateHeaders } from './answer-headers'
import { authorize, checkActive, unknownAlias, type Grant } from './authorize'
import { estimateTokens } from './estimate'
import { allResting, forward, type ForwardDeps, type UpstreamAnswer } from './forward'
import type { BodyRoom, BodyShare } from './body-room'
import { inTurn } from './in-turn'
import type { InferenceRequest } from './inference-request'
import { listModels } from './list-models'
import { matchPath } from './match-path'
import { readCall, type Call } from './read-call'
import { relayStream, type RelayContext } from './relay-stream'
import { relayWhole } from './relay-whole'
import { RunningCall } from './running-call'
import type { RunningCalls } from './running-calls'

export interface ServeDeps extends ForwardDeps {
  /** Returns at once while the credential's cache entry is fresh. */
  readonly authenticate: (credential: Credential) => Caller | Problem | Promise<Caller | Problem>
  readonly failedAttempts: FailedAttempts
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly backends: () => ReadonlyMap<BackendId, Backend> | Promise<ReadonlyMap<BackendId, Backend>>
  /** Read again, for an alias that leads to none that are known: they may have been made a moment ago elsewhere. */
  readonly backendsAnew: () => Promise<ReadonlyMap<BackendId, Backend>>
  readonly limiter: Limiter
  readonly fairQueue: FairQueue
  readonly usageLog: UsageLog
  readonly costOf: (model: string, usage: TokenUsage, atMs: number) => MicroUsd | undefined
  readonly runningCalls: RunningCalls
  readonly bodyRoom: BodyRoom
  readonly ids: IdMaker
  readonly chance: Chance
}

/** Serves one inference request of any family. Never throws: whatever happens, the client gets an OpenAI-shaped answer. */
export async function serve(deps: ServeDeps, request: InferenceRequest): Promise<Answer> {
  const callId = deps.ids.callId()
  const requestId = readRequestId(request) ?? callId
  const share = deps.bodyRoom.open()
  try {
    const answer = await serveCall(deps, request, { callId, requestId, share })
    return answer instanceof Problem ? renderProblem(answer, requestId) : answer
  } catch (error) {
    if (error instanceof ProblemError) {
      deps.log.warn('a call failed', { callId, code: error.problem.code, detail: describeError(error) })
      return renderProblem(error.problem, requestId)
    }
    deps.log.error('a call failed on a defect', { callId, detail: describeError(error) })
    return renderProblem(new Problem('internal_error', 'The call failed; quote its request id.'), requestId)
  } finally {
    // An answer has begun or will not come: no backend gets the body any more.
    share.release()
  }
}

interface CallIds {
  readonly callId: CallId
  readonly requestId: string
  /** The call's share of the room for bodies. */
  readonly share: BodyShare
}

/** The straight line: each step takes what the step before it made, and whatever refuses ends the call there. */
async function serveCall(deps: ServeDeps, request: InferenceRequest, ids: CallIds): Promise<Answer | Problem> {
  const start = { startedAt: deps.clock.now(), startedMonotonicMs: deps.clock.monotonicMs() }

  const target = matchPath(request.method, request.path, request.query)
  if (target instanceof Problem) return target

  const credential = readCredential(request.headers)
  const caller = credential instanceof Problem ? credential : await deps.authenticate(credential)
  if (caller instanceof Problem) return deps.failedAttempts.after(caller, request.headers)

  const tenant = await deps.tenantOf(caller.tenantId)
  if (!tenant) return new Problem('tenant_not_active', 'This tenant is not active yet.')
  const inactive = checkActive(tenant, caller)
  if (inactive) return inactive

  if (target.kind === 'models') {
    return listModels(target, tenant, caller, ids.requestId) ?? unknownAlias(target.model ?? '')
  }

  const call = await readCall(target, request, ids.share)
  if (call instanceof Problem) return call
  const grant = authorize(tenant, caller, call)
  if (grant instanceof Problem) return grant

  const estimate = estimateTokens(call, grant.outputTokens)
  const account = accountOf(tenant)
  const admitted = await deps.limiter.admit({
    tenantId: account.limitedAs,
    limits: account.limits,
    key: caller.limits && { keyId: caller.callerId, limits: caller.limits },
    tokens: estimate.total,
  })
  if (admitted.kind !== 'admitted') return refusal(admitted, estimate.total)

  const running = startCall(deps, { call, grant, account, ids, start, admitted, estimatedTokens: estimate.total })
  if (running instanceof Problem) return running
  const reserved = { tokens: estimate.total, gone: request.gone }
  const answer = await dispatch(deps, { call, grant, callId: ids.callId, running, ...reserved })
  if (answer instanceof Problem) return answer

  const context: RelayContext = {
    running,
    requestId: ids.requestId,
    rates: admitted.admission.rates,
    promptEstimate: estimate.prompt,
    keepUsageChunk: call.wantsUsageChunk,
    hidePromptFilterChunk: tenant.settings.hidePromptFilterChunk,
    events: call.operation.events ?? 'chat',
    log: deps.log,
  }
  return answer.kind === 'stream' ? relayStream(answer, context) : relayWhole(answer, context)
}

type Admitted = Extract<AdmissionResult, { kind: 'admitted' }>

/** From here on the call holds a reservation and stands in the usage log, and ends through `RunningCall.end` alone. */
function startCall(
  deps: ServeDeps,
  {
    call,
    grant,
    account,
    ids,
    start,
    admitted,
    estimatedTokens,
  }: {
    call: Call
    grant: Grant
    account: Account
    ids: CallIds
    start: { startedAt: number; startedMonotonicMs: number }
    admitted: Admitted
    estimatedTokens: number
  },
): RunningCall | Problem {
  const { admission } = admitted
  const { model } = grant.alias
  const entry = deps.usageLog.open({
    callId: ids.callId,
    requestId: ids.requestId,
    startedAt: start.startedAt,
    tenantId: account.meteredOn,
    keyId: grant.caller.callerId,
    alias: grant.alias.name,
    model,
    operation: call.operation.name,
    estimatedTokens,
  })
  if (!entry) {
    admission.settle(0)
    return new Problem('metering_unavailable', 'The usage log has fallen behind.', { retryAfterMs: 1_000 })
  }
  return new RunningCall(
    {
      clock: deps.clock,
      admission,
      entry,
      costOf: (usage) => deps.costOf(model, usage, start.startedAt),
      onStart: (running) => deps.runningCalls.add(running),
      onEnd: (running) => deps.runningCalls.remove(running),
    },
    start,
  )
}

interface Dispatching {
  readonly call: Call
  readonly grant: Grant
  readonly callId: CallId
  readonly running: RunningCall
  readonly tokens: number
  readonly gone: AbortSignal | undefined
}

/** Waits for its turn, plans and forwards. Whatever does not lead to an answer ends the running call here. */
async function dispatch(
  deps: ServeDeps,
  { call, grant, callId, running, tokens, gone }: Dispatching,
): Promise<Exclude<UpstreamAnswer, { kind: 'failed' }> | Problem> {
  const fail = (problem: Problem, backend?: Backend, attempts = 0): Problem => {
    const { status } = problem.entry
    running.end({ outcome: 'failed', status, usage: noTokens, estimated: false, backend, attempts })
    return problem
  }
  try {
    const { fairQueue } = deps
    const backends = await deps.backends()
    const answer = await inTurn({ fairQueue, grant, backends, tokens, running, gone }, () =>
      send(deps, { call, grant, callId }),
    )
    if (answer instanceof Problem) return fail(answer)
    return answer.kind === 'failed' ? fail(answer.problem, answer.backend, answer.attempts) : answer
  } catch (error) {
    fail(new Problem('internal_error', 'The call failed.'))
    throw error
  }
}

async function send(
  deps: ServeDeps,
  { call, grant, callId }: Pick<Dispatching, 'call' | 'grant' | 'callId'>,
): Promise<UpstreamAnswer | Problem> {
  const known = planFor(deps, grant, await deps.backends())
  const plan = known.kind === 'none' ? planFor(deps, grant, await deps.backendsAnew()) : known
  if (plan.kind === 'none') return new Problem('no_backend', 'No backend serves this model at present.')
  if (plan.kind === 'all-resting') return allResting(plan.waitMs)
  return forward(deps, { call, grant, candidates: plan.candidates, callId })
}

const planFor = (deps: ServeDeps, { tenant, alias }: Grant, backends: ReadonlyMap<BackendId, Backend>) =>
  planRoute({
    tenantId: tenant.tenantId,
    groups: alias.groups,
    residency: tenant.residency,
    backendOf: (id) => backends.get(id),
    healthOf: (id) => deps.health.view(id),
    fraction: () => deps.chance.fraction(),
  })

function refusal(refused: Exclude<AdmissionResult, Admitted>, tokens: number): Problem {
  if (refused.kind === 'never-fits') {
    const text = `The call needs up to ${tokens} tokens; the ${refused.scope}'s limit is ${refused.tokensPerMinute} a minute. Ask for fewer output tokens or send less.`
    return new Problem('request_above_token_limit', text, { param: 'max_tokens' })
  }
  const { limit, scope, retryAfterMs, rates } = refused
  const seconds = Math.ceil(retryAfterMs / 1_000)
  const headers = rateHeaders(rates)
  if (limit === 'concurrentCalls') {
    const text = `The ${scope} has as many calls under way as it may. Retry after ${seconds} s.`
    return new Problem('concurrency_limit_exceeded', text, { retryAfterMs, headers })
  }
  const what = limit === 'requestsPerMinute' ? 'requests' : 'tokens'
  const text = `The ${scope}'s limit of ${what} per minute is used up. Retry after ${seconds} s.`
  return new Problem('rate_limit_exceeded', text, { retryAfterMs, headers })
}

const REQUEST_ID = /^[\w.:-]{1,128}$/

/** A client's own id is kept if it is harmless in headers and logs; anything else is replaced, not refused. */
function readRequestId(request: InferenceRequest): string | undefined {
  const given = request.headers.get('x-request-id') ?? request.headers.get('x-ms-client-request-id')
  return given !== null && REQUEST_ID.test(given) ? given : undefined
}
