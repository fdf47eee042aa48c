import type { BackendCredentials } from '../azure/backend-credentials'
import { UpstreamError, type UpstreamHttp, type UpstreamResponse } from '../azure/upstream-http'
import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import type { Log } from '../base/log'
import { Problem, ProblemError } from '../base/problem'
import type { Backend } from '../routing/backend'
import type { BackendHealth } from '../routing/health'
import { readRetryAfterMs, readUtilization, WAIT_MS_DEFAULT } from '../routing/retry-after'
import { errorBody } from './answer'
import type { Grant } from './authorize'
import type { Call } from './read-call'
import { startsWithError } from './sse'
import { buildUpstreamRequest } from './upstream-request'

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
  /** A stream whose first piece has arrived: from here on no other backend is tried (I11). */
  | {
      readonly kind: 'stream'
      readonly headers: UpstreamResponse['headers']
      readonly first: Buffer
      readonly rest: UpstreamResponse['body']
      readonly backend: Backend
      readonly attempts: number
    }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly backend: Backend; readonly attempts: number }

export interface ForwardDeps {
  readonly upstream: UpstreamHttp
  readonly credentials: BackendCredentials
  readonly health: BackendHealth
  readonly clock: Clock
  readonly log: Log
}

export interface ForwardInput {
  readonly call: Call
  readonly grant: Grant
  readonly candidates: readonly Backend[]
  /** Sent to the backend as `x-ms-client-request-id`, so that its own records can be matched with ours. */
  readonly callId: string
}

const ATTEMPTS_MAX = 4
/** Reasoning models think for minutes before a whole answer; a stream shows its first token sooner. */
const WHOLE_ANSWER_TIMEOUT_MS = 10 * 60_000
const FIRST_TOKEN_TIMEOUT_MS = 2 * 60_000
const IDLE_TIMEOUT_MS = 60_000
/** 2,048 embeddings of 3,072 dimensions written as decimal numbers are about 130 MB. */
const ANSWER_BYTES_MAX = 160 * 1024 * 1024

/**
 * Tries the candidates in order until one answers. Every attempt ends before a byte has reached the client,
 * so each of them is safe to replay; `isSafeToReplay` decides which outcomes are worth it.
 */
export async function forward(deps: ForwardDeps, input: ForwardInput): Promise<UpstreamAnswer> {
  const { candidates } = input
  const order = candidates.length === 1 ? [...candidates, ...candidates] : candidates
  let attempts = 0
  let worst: Attempt & { kind: 'throttled' | 'failed' } = { kind: 'failed', why: 'broken', detail: 'not tried' }
  let last = candidates[0]

  for (const backend of order.slice(0, ATTEMPTS_MAX)) {
    // The second entry of a single backend is only for a connection that broke under us.
    if (attempts > 0 && candidates.length === 1 && !(worst.kind === 'failed' && worst.why === 'broken')) break
    attempts += 1
    last = backend
    const attempt = await tryBackend(deps, input, backend)
    report(deps, backend, attempt)
    if (!isSafeToReplay(attempt)) return answerOf(attempt, backend, attempts)
    worst = moreHopeful(worst, attempt)
  }
  if (!last) throw new Error('forward needs at least one candidate')
  return { kind: 'failed', problem: problemOf(worst), backend: last, attempts }
}

type Attempt =
  | { kind: 'whole'; status: number; headers: UpstreamResponse['headers']; body: Buffer }
  | { kind: 'stream'; headers: UpstreamResponse['headers']; first: Buffer; rest: UpstreamResponse['body'] }
  | { kind: 'throttled'; waitMs: number }
  | { kind: 'failed'; why: 'connect' | 'timeout' | 'broken' | 'status' | 'rejected-us'; detail: string }

function isSafeToReplay(attempt: Attempt): attempt is Extract<Attempt, { kind: 'throttled' | 'failed' }> {
  return attempt.kind === 'throttled' || attempt.kind === 'failed'
}

async function tryBackend(deps: ForwardDeps, input: ForwardInput, backend: Backend): Promise<Attempt> {
  deps.health.dispatched(backend.id)
  try {
    const response = await dispatch(deps, input, backend)
    const isStream = response.status === 200 && /^text\/event-stream/i.test(String(response.headers['content-type']))
    if (isStream) return await startStream(response)
    const body = await response.body.readAll(ANSWER_BYTES_MAX)
    if (!body) return { kind: 'failed', why: 'status', detail: `the answer is larger than ${ANSWER_BYTES_MAX} bytes` }
    if (isVersionRefusal(response.status, body, input.call, backend))
      return versionRefusal(response.headers, input.call)
    return judge(response.status, response.headers, body, deps.clock.now())
  } catch (error) {
    if (error instanceof UpstreamError) {
      const why = error.kind === 'cancelled' ? 'broken' : error.kind
      return { kind: 'failed', why, detail: error.message }
    }
    if (error instanceof ProblemError) return { kind: 'failed', why: 'rejected-us', detail: error.message }
    deps.health.unprobed(backend.id)
    throw error
  }
}

async function dispatch(deps: ForwardDeps, input: ForwardInput, backend: Backend): Promise<UpstreamResponse> {
  const { call, grant, callId } = input
  const { origin, path, body } = buildUpstreamRequest(call, grant, backend)
  const style = backend.api.kind === 'azure-openai' ? 'api-key' : 'bearer'
  const proof = deps.credentials.headerOf(backend, style)
  const [name, value] = (proof instanceof Promise ? await proof : proof) ?? []
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: call.stream ? 'text/event-stream' : 'application/json',
    'user-agent': 'tenantry',
    'x-ms-client-request-id': callId,
  }
  if (name !== undefined && value !== undefined) headers[name] = value
  const firstByteTimeoutMs = call.stream ? FIRST_TOKEN_TIMEOUT_MS : WHOLE_ANSWER_TIMEOUT_MS
  return deps.upstream.send({ origin, path, headers, body, firstByteTimeoutMs, idleTimeoutMs: IDLE_TIMEOUT_MS })
}

/** A stream counts as begun with its first piece; one that opens with an error event has not begun. */
async function startStream(response: UpstreamResponse): Promise<Attempt> {
  const first = await response.body.next()
  if (!first) return { kind: 'failed', why: 'broken', detail: 'the stream ended before its first event' }
  if (startsWithError(first)) {
    response.body.cancel('the stream opened with an error')
    const text = first.toString('utf8', 0, 2_000)
    if (/rate.?limit|429|too.?many.?requests/i.test(text)) return { kind: 'throttled', waitMs: WAIT_MS_DEFAULT }
    return { kind: 'failed', why: 'status', detail: 'the stream opened with an error event' }
  }
  return { kind: 'stream', headers: response.headers, first, rest: response.body }
}

function judge(status: number, headers: UpstreamResponse['headers'], body: Buffer, nowMs: number): Attempt {
  if (status === 429) {
    const waitMs = readRetryAfterMs(headers, body.toString('utf8', 0, 2_000), nowMs)
    return { kind: 'throttled', waitMs }
  }
  if (status === 408 || status >= 500) return { kind: 'failed', why: 'status', detail: `HTTP ${status}` }
  // Our credential, our network rule or our deployment name is wrong: nothing that the caller could mend.
  if (status === 401 || status === 403 || status === 404) {
    return { kind: 'failed', why: 'rejected-us', detail: `HTTP ${status}: ${codeIn(body)}` }
  }
  return { kind: 'whole', status, headers, body }
}

/**
 * Azure answers `404 Resource not found` to an api-version that the model does not have. Where the client chose the version,
 * that is the client's to mend, and it must not count against a backend that other tenants use.
 */
function isVersionRefusal(status: number, body: Buffer, { apiVersion }: Call, { api }: Backend): boolean {
  if (status !== 404 || apiVersion === undefined || api.kind !== 'azure-openai') return false
  return apiVersion !== api.apiVersion && codeIn(body) === '404'
}

function versionRefusal(headers: UpstreamResponse['headers'], { apiVersion }: Call): Attempt {
  const text = `The model backend does not know api-version ${apiVersion} for this model.`
  const problem = new Problem('invalid_api_version', text, { param: 'api-version' })
  return { kind: 'whole', status: problem.entry.status, headers, body: Buffer.from(JSON.stringify(errorBody(problem))) }
}

/** Only the error's code goes into our log; a message can quote the prompt. */
function codeIn(body: Buffer): string {
  return /"code"\s*:\s*"([A-Za-z0-9_.-]{1,64})"/.exec(body.toString('latin1', 0, 4_096))?.[1] ?? 'no code'
}

function report({ health, log }: ForwardDeps, backend: Backend, attempt: Attempt): void {
  switch (attempt.kind) {
    case 'whole':
    case 'stream':
      return health.succeeded(backend.id, readUtilization(attempt.headers))
    case 'throttled':
      return health.throttled(backend.id, attempt.waitMs)
    case 'failed':
      log.warn('a backend failed before its first byte', {
        backend: backend.id,
        why: attempt.why,
        detail: attempt.detail,
      })
      return health.failed(backend.id)
    default:
      return assertNever(attempt)
  }
}

function answerOf(attempt: Exclude<Attempt, { kind: 'throttled' | 'failed' }>, backend: Backend, attempts: number) {
  return { ...attempt, backend, attempts }
}

/** Of several outcomes the client is told the one that a retry is most likely to heal: a throttle, then the shortest wait. */
function moreHopeful<A extends Attempt & { kind: 'throttled' | 'failed' }>(a: A, b: A): A {
  if (a.kind === 'throttled' && b.kind === 'throttled') return a.waitMs <= b.waitMs ? a : b
  if (a.kind === 'throttled') return a
  return b
}

function problemOf(attempt: Attempt & { kind: 'throttled' | 'failed' }): Problem {
  if (attempt.kind === 'throttled') return allResting(attempt.waitMs)
  const internal = attempt.detail
  switch (attempt.why) {
    case 'timeout':
      return new Problem('upstream_timeout', 'The model backend did not answer in time.', { internal })
    case 'rejected-us':
      return new Problem('upstream_rejected_us', 'The model backend refused the platform; its operator is informed.', {
        internal,
      })
    case 'connect':
    case 'broken':
    case 'status':
      return new Problem('upstream_failed', 'The model backend failed; the call was not answered.', { internal })
    default:
      return assertNever(attempt.why)
  }
}

/** Also used where the plan already finds every backend at rest. */
export function allResting(waitMs: number): Problem {
  const seconds = Math.ceil(waitMs / 1_000)
  return new Problem('backends_cooling_down', `Every backend of this model is at capacity. Retry after ${seconds} s.`, {
    retryAfterMs: waitMs,
  })
}
