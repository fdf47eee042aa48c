import type { BackendCredentials } from '../azure/backend-credentials'
import type { UpstreamBody } from '../azure/upstream-body'
import { UpstreamError } from '../azure/upstream-error'
import type { UpstreamResponse } from '../azure/upstream-exchange'
import type { UpstreamHttp } from '../azure/upstream-http'
import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import type { Log } from '../base/log'
import { Problem, ProblemError } from '../base/problem'
import type { AccountWatch } from '../routing/account-watch'
import type { Backend } from '../routing/backend'
import { timeoutsOf } from '../routing/backend-timeouts'
import type { BackendHealth, HealthAttempt } from '../routing/health'
import type { BackendLoad, LoadHold, ReservedTokens } from '../routing/load'
import { readRetryAfterMs, readUtilization } from '../routing/retry-after'
import { errorBody } from './answer'
import { whyNoAnswer, whyNoSound } from './answer-check'
import type { Grant } from './authorize'
import type { AttemptTrace } from './call-trace'
import type { Call } from './read-call'
import { withLineFeeds } from './sse'
import { readOpening } from './stream-opening'
import { buildUpstreamRequest } from './upstream-request'

/** How one try at one backend ended, with nothing handed to the client yet. */
export type Attempt = Answered | Unanswered

export type Answered =
  | {
      readonly kind: 'whole'
      readonly status: number
      readonly headers: UpstreamResponse['headers']
      readonly body: Buffer
      /** The call's part of the backend's throughput, to settle when the call has ended. */
      readonly hold: LoadHold
    }
  /** A stream that has begun to answer. */
  | {
      readonly kind: 'stream'
      readonly headers: UpstreamResponse['headers']
      readonly first: Buffer
      readonly rest: Pick<UpstreamBody, 'next' | 'cancel'>
      readonly hold: LoadHold
    }

export type Unanswered =
  /** The backend refused for capacity. */
  | { readonly kind: 'throttled'; readonly waitMs: number }
  /** It was not asked: since the plan was made it has come to rest. */
  | { readonly kind: 'resting'; readonly waitMs: number }
  | { readonly kind: 'failed'; readonly why: FailureReason; readonly detail: string }
  /** We gave it up. `sent`: it may have been billed. */
  | { readonly kind: 'cancelled'; readonly sent: boolean }

export type FailureReason =
  | 'connect'
  | 'timeout'
  | 'broken'
  /** A server error, in the status or as the first event of a stream, or a success that is no answer. */
  | 'status'
  /** It takes neither our credential, nor our network, nor the deployment's name. */
  | 'rejected-us'
  /** It has no such endpoint. */
  | 'not-served'

export interface AttemptDeps {
  readonly upstream: UpstreamHttp
  readonly credentials: BackendCredentials
  readonly health: BackendHealth
  readonly load: BackendLoad
  readonly accounts: AccountWatch
  readonly clock: Clock
  readonly log: Log
}

export interface AttemptInput {
  readonly call: Call
  readonly grant: Grant
  /** What the call is reserved for. */
  readonly tokens: ReservedTokens
  /** Sent to the backend as `x-ms-client-request-id`, so that its own records can be matched with ours. */
  readonly callId: string
  /** How long the call has been under way; the backend's total timeout runs from its arrival. */
  readonly ageMs: number
  /** Gives the attempt up. */
  readonly signal: AbortSignal | undefined
  /** Where telemetry is set up. */
  readonly trace?: AttemptTrace | undefined
}

/** 2,048 embeddings of 3,072 dimensions written as decimal numbers are about 130 MB. */
const ANSWER_BYTES_MAX = 160 * 1024 * 1024

/** One try at one backend, told to what watches over the backend: its health, its load, and whether its account lets us in. */
export async function attempt(deps: AttemptDeps, input: AttemptInput, backend: Backend): Promise<Attempt> {
  const { tenantId } = input.grant.tenant
  const begun = deps.health.begin(backend.id, tenantId)
  if (begun.kind === 'resting') return begun
  const hold = deps.load.reserve(backend, input.tokens)
  try {
    const outcome = await send(deps, input, backend, hold)
    if (outcome.kind !== 'whole' && outcome.kind !== 'stream') hold.settle(undefined)
    report(deps, input, { backend, begun, outcome })
    input.trace?.ended(outcome)
    return outcome
  } catch (error) {
    hold.settle(undefined)
    begun.abandoned()
    throw error
  }
}

async function send(deps: AttemptDeps, input: AttemptInput, backend: Backend, hold: LoadHold): Promise<Attempt> {
  const { call, signal } = input
  try {
    const response = await dispatch(deps, input, backend)
    const isStream = response.status === 200 && /^text\/event-stream/i.test(String(response.headers['content-type']))
    if (isStream) return await startStream(deps, response, hold)
    if (response.status === 200 && call.operation.answersBytes) return await startBytes(response, hold)
    const body = await response.body.readAll(ANSWER_BYTES_MAX)
    if (!body) return { kind: 'failed', why: 'status', detail: `the answer is larger than ${ANSWER_BYTES_MAX} bytes` }
    const why = whyNoAnswer(response, body, call.operation)
    if (why !== undefined) return { kind: 'failed', why: 'status', detail: why }
    if (isVersionRefusal(response.status, body, call, backend))
      return { ...versionRefusal(response.headers, call), hold }
    return judge(response.status, response.headers, body, { nowMs: deps.clock.now(), hold })
  } catch (error) {
    if (error instanceof ProblemError) return { kind: 'failed', why: 'rejected-us', detail: error.message }
    if (!(error instanceof UpstreamError)) throw error
    if (signal?.aborted) return { kind: 'cancelled', sent: error.kind !== 'connect' }
    return { kind: 'failed', why: error.kind === 'cancelled' ? 'broken' : error.kind, detail: error.message }
  }
}

async function dispatch(deps: AttemptDeps, input: AttemptInput, backend: Backend): Promise<UpstreamResponse> {
  const { call, grant, callId, ageMs, signal, trace } = input
  const { origin, path, body } = buildUpstreamRequest(call, grant, backend)
  const style = backend.api.kind === 'azure-openai' ? 'api-key' : 'bearer'
  const proof = deps.credentials.headerOf(backend, style)
  const [name, value] = (proof instanceof Promise ? await proof : proof) ?? []
  const headers: Record<string, string> = {
    'content-type': call.contentType,
    accept: acceptedBy(call),
    'user-agent': 'tenantry',
    'x-ms-client-request-id': callId,
  }
  if (name !== undefined && value !== undefined) headers[name] = value
  if (trace) headers['traceparent'] = trace.traceParent
  if (trace?.traceState !== undefined) headers['tracestate'] = trace.traceState
  const { connectMs, firstTokenMs, wholeAnswerMs, idleMs, totalMs } = timeoutsOf(backend)
  if (ageMs >= totalMs) throw new UpstreamError('timeout', 'the total timeout has passed')
  return deps.upstream.send({
    origin,
    path,
    headers,
    body,
    connectTimeoutMs: connectMs,
    firstByteTimeoutMs: call.stream ? firstTokenMs : wholeAnswerMs,
    idleTimeoutMs: idleMs,
    totalTimeoutMs: totalMs - ageMs,
    ...(signal ? { signal } : {}),
  })
}

function acceptedBy({ stream, operation }: Call): string {
  if (operation.answersBytes) return '*/*'
  return stream ? 'text/event-stream' : 'application/json'
}

/** A stream that opens with an error has not begun. */
async function startStream({ clock }: AttemptDeps, response: UpstreamResponse, hold: LoadHold): Promise<Attempt> {
  const { headers } = response
  const body = withLineFeeds(response.body)
  const opening = await readOpening(body, clock)
  switch (opening.kind) {
    case 'begun':
      return { kind: 'stream', headers, first: opening.bytes, rest: body, hold }
    case 'empty':
      return { kind: 'failed', why: 'broken', detail: 'the stream ended before its first event' }
    case 'throttled':
      body.cancel('the stream opened with a throttle')
      return { kind: 'throttled', waitMs: readRetryAfterMs(headers, opening.text, clock.now()) }
    case 'failed':
      body.cancel('the stream opened with an error')
      return { kind: 'failed', why: 'status', detail: `the stream opened with an error: ${codeOr(opening.code)}` }
    default:
      return assertNever(opening)
  }
}

/**
 * Bytes have begun with their second piece. `relayBytes` holds each back until it knows whether another follows, so nothing has gone
 * out when an answer breaks off behind its first: another backend may still be asked, and the client told what has failed.
 */
async function startBytes({ headers, body }: UpstreamResponse, hold: LoadHold): Promise<Attempt> {
  const why = whyNoSound({ headers })
  if (why !== undefined) {
    body.cancel('the answer is no sound')
    return { kind: 'failed', why: 'status', detail: why }
  }
  const first = await body.next()
  if (!first) return { kind: 'failed', why: 'broken', detail: 'the answer ended before its first byte' }
  const second = await body.next()
  return { kind: 'stream', headers, first, rest: readOn(second, body), hold }
}

function readOn(ahead: Buffer | undefined, body: UpstreamBody): Pick<UpstreamBody, 'next' | 'cancel'> {
  let isRead = true
  return {
    next: async () => {
      if (!isRead) return body.next()
      isRead = false
      return ahead
    },
    cancel: (why) => body.cancel(why),
  }
}

function judge(
  status: number,
  headers: UpstreamResponse['headers'],
  body: Buffer,
  { nowMs, hold }: { nowMs: number; hold: LoadHold },
): Attempt {
  if (status === 429) {
    const waitMs = readRetryAfterMs(headers, body.toString('utf8', 0, 2_000), nowMs)
    return { kind: 'throttled', waitMs }
  }
  if (status === 408 || status >= 500) return { kind: 'failed', why: 'status', detail: `HTTP ${status}` }
  // What the call goes on from is gone at its account: the client's to hear, and no fault of the backend.
  if (status === 404 && codeIn(body) === 'previous_response_not_found')
    return { kind: 'whole', status, headers, body, hold }
  // Our credential, our network rule or our deployment name is wrong: nothing that the caller could mend.
  if (status === 401 || status === 403 || status === 404) {
    const code = codeIn(body)
    const isRefusal = status !== 404 || NO_SUCH_MODEL.has(code)
    return { kind: 'failed', why: isRefusal ? 'rejected-us' : 'not-served', detail: `HTTP ${status}: ${code}` }
  }
  return { kind: 'whole', status, headers, body, hold }
}

/** How Azure and OpenAI-compatible servers say that a deployment or model does not exist. Other 404s are of the path. */
const NO_SUCH_MODEL = new Set(['DeploymentNotFound', 'model_not_found'])

/**
 * Azure answers `404 Resource not found` to an api-version that the model does not have. Where the client chose the version,
 * that is the client's to mend, and it must not count against a backend that other tenants use.
 */
function isVersionRefusal(status: number, body: Buffer, { apiVersion }: Call, { api }: Backend): boolean {
  if (status !== 404 || apiVersion === undefined || api.kind !== 'azure-openai') return false
  return apiVersion !== api.apiVersion && codeIn(body) === '404'
}

function versionRefusal(headers: UpstreamResponse['headers'], { apiVersion }: Call) {
  const text = `The model backend does not know api-version ${apiVersion} for this model.`
  const problem = new Problem('invalid_api_version', text, { param: 'api-version' })
  const body = Buffer.from(JSON.stringify(errorBody(problem)))
  return { kind: 'whole', status: problem.entry.status, headers, body } as const
}

/** Only the error's code goes into our log; a message can quote the prompt. */
function codeIn(body: Buffer): string {
  return codeOr(/"code"\s*:\s*"([A-Za-z0-9_.-]{1,64})"/.exec(body.toString('latin1', 0, 4_096))?.[1] ?? '')
}

const codeOr = (code: string) => (/^[A-Za-z0-9_.-]+$/.test(code) ? code : 'no code')

function report(
  { load, accounts, log }: AttemptDeps,
  { trace }: AttemptInput,
  { backend, begun, outcome }: { backend: Backend; begun: HealthAttempt; outcome: Attempt },
): void {
  switch (outcome.kind) {
    case 'whole':
    case 'stream': {
      const utilization = readUtilization(outcome.headers)
      if (utilization !== undefined) load.reported(backend, utilization)
      accounts.admitted(backend)
      return begun.succeeded()
    }
    case 'throttled':
      load.refused(backend, outcome.waitMs)
      return begun.throttled(outcome.waitMs)
    case 'cancelled':
    case 'resting':
      return begun.abandoned()
    case 'failed': {
      const { why, detail } = outcome
      log.warn('a backend failed before its first byte', { backend: backend.id, traceId: trace?.traceId, why, detail })
      if (why === 'rejected-us') accounts.refused(backend, detail)
      return begun.failed(why === 'connect' ? 'unreachable' : 'answered')
    }
    default:
      return assertNever(outcome)
  }
}
