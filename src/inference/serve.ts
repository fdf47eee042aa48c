import type { Caller, Credential } from '../access/caller'
import type { FailedAttempts } from '../access/failed-attempts'
import { readCredential } from '../access/read-credential'
import type { Departure } from '../base/departure'
import type { CallId, IdMaker, TenantId } from '../base/ids'
import { describeError } from '../base/log'
import { Problem, ProblemError } from '../base/problem'
import { stopping } from '../base/stopping'
import type { Patience } from '../fairness/turn'
import type { UsageLog } from '../metering/usage-log'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import { accountOf, type Account } from './account'
import { admitCall, notAdmitted, type CallAdmissionResult } from './admit'
import { renderProblem, type Answer } from './answer'
import { authorize, checkActive, unknownAlias, type Grant } from './authorize'
import type { CallTrace, CallTraces } from './call-trace'
import { atHolder } from './at-holder'
import type { Bind, Bound } from './binding'
import { countingRefusal } from './count-refusal'
import type { BodyRoom, BodyShare } from './body-room'
import { dispatch, type DispatchDeps, type Dispatched } from './dispatch'
import { estimateTokens } from './estimate'
import type { Gathering } from './gathering'
import { fallbackHeaders } from './fall-back'
import type { InferenceRequest } from './inference-request'
import { listModels } from './list-models'
import { matchPath, type StoredPaths } from './match-path'
import { readCall, type Call } from './read-call'
import { readRequestId } from './read-request-id'
import { relayBytes } from './relay-bytes'
import { relayStream, type RelayContext } from './relay-stream'
import { relayWhole } from './relay-whole'
import { RunningCall } from './running-call'
import type { RunningCalls } from './running-calls'
import { serveStored } from './serve-stored'
import { tellWhenServed, type WatchServed } from './served-call'

export interface ServeDeps extends DispatchDeps {
  /** Returns at once while the credential's cache entry is fresh. */
  readonly authenticate: (credential: Credential) => Caller | Problem | Promise<Caller | Problem>
  readonly failedAttempts: FailedAttempts
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly usageLog: UsageLog
  readonly runningCalls: RunningCalls
  readonly bodyRoom: BodyRoom
  readonly gathering: Gathering
  /** What is kept for tenants, by its paths. */
  readonly stored: StoredPaths
  readonly bind: Bind
  /** Of tenants that have asked for drift to be watched. */
  readonly watchServed?: WatchServed | undefined
  /** Where telemetry is set up. */
  readonly traces?: CallTraces | undefined
  readonly ids: IdMaker
}

/** Serves one inference request of any family. Never throws: whatever happens, the client gets an OpenAI-shaped answer. */
export async function serve(deps: ServeDeps, request: InferenceRequest): Promise<Answer> {
  const callId = deps.ids.callId()
  const requestId = readRequestId(request) ?? callId
  const share = deps.bodyRoom.open()
  const trace = deps.traces?.begin({ callId, method: request.method, ...parentOf(request) })
  const refuse = (problem: Problem) => {
    trace?.answered(problem.entry.status, problem.code)
    return renderProblem(problem, requestId)
  }
  try {
    const answer = await serveCall(deps, request, { callId, requestId, share, trace })
    if (answer instanceof Problem) return refuse(answer)
    trace?.answered(answer.status)
    return answer
  } catch (error) {
    const { traceId } = trace ?? {}
    if (error instanceof ProblemError) {
      deps.log.warn('a call failed', { callId, traceId, code: error.problem.code, detail: describeError(error) })
      return refuse(error.problem)
    }
    deps.log.error('a call failed on a defect', { callId, traceId, detail: describeError(error) })
    return refuse(new Problem('internal_error', 'The call failed; quote its request id.'))
  } finally {
    // An answer has begun or will not come: no backend gets the body any more.
    share.release()
  }
}

/** What other systems say of a trace (`tracestate`) belongs to the client's own `traceparent`, and says nothing of the host's. */
function parentOf({ headers, traceParent }: InferenceRequest) {
  const own = headers.get('traceparent')
  if (own === null) return { traceParent, traceState: null }
  return { traceParent: own, traceState: headers.get('tracestate') }
}

interface CallIds {
  readonly callId: CallId
  readonly requestId: string
  /** The call's share of the room for bodies. */
  readonly share: BodyShare
  readonly trace: CallTrace | undefined
}

/** The straight line: each step takes what the step before it made, and whatever refuses ends the call there. */
async function serveCall(deps: ServeDeps, request: InferenceRequest, ids: CallIds): Promise<Answer | Problem> {
  if (deps.runningCalls.isClosing) return stopping
  const start = { startedAt: deps.clock.now(), startedMonotonicMs: deps.clock.monotonicMs() }

  const target = matchPath(request.method, request.path, request.query, deps.stored)
  if (target instanceof Problem) return target

  const credential = readCredential(request.headers)
  const caller = credential instanceof Problem ? credential : await deps.authenticate(credential)
  if (caller instanceof Problem) return deps.failedAttempts.after(caller, request.headers)

  const tenant = await deps.tenantOf(caller.tenantId)
  if (!tenant) return new Problem('tenant_not_active', 'This tenant is not active yet.')
  const inactive = checkActive(tenant, caller)
  if (inactive) return inactive

  const operation = target.kind === 'models' ? 'models' : target.operation.name
  ids.trace?.isOf({ tenantId: caller.tenantId, keyId: caller.callerId, operation })
  if (target.kind === 'models') {
    return listModels(target, tenant, caller, ids.requestId) ?? unknownAlias(target.model ?? '')
  }
  if (target.kind === 'stored') return serveStored(deps, { target, request, tenant, caller, ...ids })

  const unread = () => ({
    startedAt: start.startedAt,
    tenantId: accountOf(tenant).meteredOn,
    keyId: caller.callerId,
    alias: '',
    model: '',
    operation: target.operation.name,
  })
  const call = await countingRefusal(deps, unread, () => readCall(target, request, ids.share))
  if (call instanceof Problem) return call
  return serveRead(deps, { call, tenant, caller, ids, start, gone: request.gone })
}

/** A call that was read, of a caller that may call: what is left of the straight line. */
export interface ReadCall {
  readonly call: Call
  readonly tenant: TenantSnapshot
  readonly caller: Caller
  readonly ids: Pick<CallIds, 'callId' | 'requestId' | 'trace'>
  readonly start: CallStart
  readonly gone: Departure | undefined
  /** What the usage log names it by, where that is not its operation alone. */
  readonly meteredAs?: string | undefined
  /** Less than other calls have. */
  readonly patience?: Patience | undefined
}

interface CallStart {
  readonly startedAt: number
  readonly startedMonotonicMs: number
}

/** From what was read to the answer. Clients' calls come here by `serve`, the platform's own for a tenant by `callForTenant`. */
export async function serveRead(deps: ServeDeps, read: ReadCall): Promise<Answer | Problem> {
  const { call: asked, tenant, caller, start, gone, meteredAs, patience } = read
  const refusable = () => ({
    startedAt: start.startedAt,
    tenantId: accountOf(tenant).meteredOn,
    keyId: caller.callerId,
    alias: asked.alias,
    model: tenant.aliases[asked.alias]?.model ?? '',
    operation: meteredAs ?? asked.operation.name,
  })
  const begun = await countingRefusal(deps, refusable, () => begin(deps, read))
  if (begun instanceof Problem) return begun
  const { bound, grant, estimate, rates, running } = begun
  const { call } = bound

  // What the platform asks a model itself says nothing of what clients ask it.
  if (meteredAs === undefined) tellWhenServed(deps, running, { grant, call, promptEstimate: estimate.prompt })
  const { callId, requestId } = read.ids
  const served = await dispatch(atHolder(deps, bound), {
    call,
    grant,
    callId,
    running,
    estimate,
    rates,
    gone,
    patience,
  })
  if (served instanceof Problem) return bound.isHolder && served.code === 'no_backend' ? holderGone : served

  const context: RelayContext = {
    running,
    requestId,
    rates: served.rates,
    promptEstimate: served.estimate.prompt,
    keepUsageChunk: call.wantsUsageChunk,
    hidePromptFilterChunk: tenant.settings.hidePromptFilterChunk,
    call,
    clientGone: tenant.settings.clientGone ?? 'drain',
    gathering: deps.gathering,
    log: deps.log,
    response: bound.response && { binding: bound.response, grant: served.grant, estimate: served.estimate },
  }
  const answer = await relay(served, context)
  return { ...answer, headers: { ...answer.headers, ...fallbackHeaders(call, served.grant) } }
}

/** Until it stands in the usage log: what it may reach, what it goes on from, and what it reserves. */
async function begin(deps: ServeDeps, { call: asked, tenant, caller, ids, start, meteredAs }: ReadCall) {
  const grant = authorize(tenant, caller, asked)
  if (grant instanceof Problem) return grant
  const binding = bindCall(deps, { call: asked, grant, requestId: ids.requestId })
  const bound = binding instanceof Promise ? await binding : binding
  if (bound instanceof Problem) return bound
  const { call } = bound

  const estimate = estimateTokens(call, grant.outputTokens)
  const admitted = await admitCall(deps, grant, { estimate, atMs: start.startedAt })
  if (admitted.kind !== 'admitted') return notAdmitted(admitted, { tokens: estimate.total, nowMs: deps.clock.now() })

  const account = accountOf(tenant)
  const operation = meteredAs ?? call.operation.name
  const running = startCall(deps, { operation, grant, account, ids, start, admitted, estimatedTokens: estimate.total })
  if (running instanceof Problem) return running
  return { bound, grant, estimate, rates: admitted.admission.rates, running }
}

const holderGone = new Problem(
  'no_backend',
  'The account that holds what this call goes on from does not serve this model at present. Begin anew, with the whole conversation in the input.',
)

/** Nearly all calls name nothing that is stored, and wait for nothing here. */
function bindCall(
  { bind }: ServeDeps,
  { call, grant, requestId }: { call: Call; grant: Grant; requestId: string },
): Bound | Problem | Promise<Bound | Problem> {
  if (!call.references && !call.keeping) return { call, isHolder: undefined, response: undefined }
  return bind({ scope: TenantScope.ofCaller(grant.caller), call, grant, requestId })
}

function relay({ answer }: Dispatched, context: RelayContext): Answer | Promise<Answer> {
  if (answer.kind === 'whole') return relayWhole(answer, context)
  return context.call.operation.answersBytes ? relayBytes(answer, context) : relayStream(answer, context)
}

type Admitted = Extract<CallAdmissionResult, { kind: 'admitted' }>

/** From here on the call holds a reservation and stands in the usage log, and ends through `RunningCall.end` alone. */
function startCall(
  deps: ServeDeps,
  {
    operation,
    grant,
    account,
    ids,
    start,
    admitted,
    estimatedTokens,
  }: {
    operation: string
    grant: Grant
    account: Account
    ids: ReadCall['ids']
    start: CallStart
    admitted: Admitted
    estimatedTokens: number
  },
): RunningCall | Problem {
  const { admission } = admitted
  const { model } = grant.alias
  const intent = {
    callId: ids.callId,
    requestId: ids.requestId,
    startedAt: start.startedAt,
    tenantId: account.meteredOn,
    keyId: grant.caller.callerId,
    alias: grant.alias.name,
    model,
    operation,
    estimatedTokens,
  }
  const entry = deps.usageLog.open(intent)
  if (!entry) {
    admission.settle({ tokens: 0, microUsd: 0 })
    return new Problem('metering_unavailable', 'The usage log has fallen behind.', { retryAfterMs: 1_000 })
  }
  ids.trace?.began(intent)
  return new RunningCall(
    {
      clock: deps.clock,
      admission,
      entry,
      trace: ids.trace,
      costOf: (usage) => deps.costOf(model, usage, start.startedAt),
      onStart: (running) => deps.runningCalls.add(running),
      onEnd: (running) => deps.runningCalls.remove(running),
    },
    start,
  )
}
