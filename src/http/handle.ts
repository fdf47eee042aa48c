import type { FailedAttempts } from '../access/failed-attempts'
import type { Authenticator } from '../access/authenticator'
import { requirePlatformPermission, type Operators } from '../access/operators'
import { readCredential } from '../access/read-credential'
import { requirePermission } from '../access/permissions'
import { assertNever } from '../base/assert'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { describeError, type Log } from '../base/log'
import { Problem } from '../base/problem'
import { stopping } from '../base/stopping'
import type { Columns, PartitionTable } from '../storage/partition-table'
import { TenantScope } from '../storage/tenant-scope'
import type { RequestTraces } from '../telemetry/request-trace'
import type { TenantTable } from '../storage/tenant-table'
import { activeTenant } from '../tenants/active-tenant'
import type { TenantSnapshots } from '../tenants/tenant-snapshots'
import type { AuditRequest } from './audit-request'
import type { Endpoint, Principal } from './endpoint'
import { readIdempotencyKey, type Idempotency } from './idempotency'
import { notFound, type Answer, type PlainAnswer, type PlainRequest } from './plain-request'
import { matchesAny, readIfMatch } from './precondition'
import { readJson } from './read-json'
import { readQuery } from './read-query'
import { problemOf, renderProblem } from './render-problem'
import { requestIdOf } from './request-id'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** The methods of one route. */
export type Endpoints = Readonly<Partial<Record<Method, Endpoint>>>

export interface HandleDeps {
  readonly authenticator: Authenticator
  readonly operators: Operators
  readonly failedAttempts: FailedAttempts
  readonly snapshots: TenantSnapshots
  readonly idempotency: Idempotency
  readonly auditRequest: AuditRequest
  /** Where creations are remembered: a tenant's in its own partition, operators' in the platform's. */
  readonly tenantRows: TenantTable<Columns>
  readonly platformRows: PartitionTable<Columns>
  /** What needs no credential is answered still: probes ask just then. */
  readonly isStopping: () => boolean
  /** Where telemetry is set up. */
  readonly traces?: RequestTraces | undefined
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

/** Every request of the control plane, from arrival to answer. Never rejects: whatever is thrown becomes an answer. */
export type Handle = (endpoints: Endpoints, request: PlainRequest) => Promise<PlainAnswer>

export function createHandle(deps: HandleDeps): Handle {
  const { chance, clock, log, traces } = deps
  return async (endpoints, request) => {
    const startedMs = clock.monotonicMs()
    const requestId = requestIdOf(request.headers.get('x-request-id'), chance)
    const traceParent = request.headers.get('traceparent') ?? request.traceParent
    const trace = traces?.request({ ...request, traceParent })
    const fields = { requestId, traceId: trace?.traceId, method: request.method, path: loggedPath(request.path) }
    const answer = await answerTo(deps, { endpoints, request, requestId }).catch((error: unknown) => {
      log.error('a request failed', { ...fields, error: describeError(error) })
      return problemOf(error)
    })
    const rendered = answer instanceof Problem ? renderProblem(answer, requestId) : answer
    trace?.ended({ status: rendered.status, code: answer instanceof Problem ? answer.code : undefined })
    log.info('request', { ...fields, status: rendered.status, latencyMs: clock.monotonicMs() - startedMs })
    // Answers carry keys, settings and usage: no cache on the way may hold them.
    return { ...rendered, headers: { ...rendered.headers, 'x-request-id': requestId, 'cache-control': 'no-store' } }
  }
}

interface Arrival {
  readonly endpoints: Endpoints
  readonly request: PlainRequest
  readonly requestId: string
}

/** The last part of a one-time link is a secret. */
const loggedPath = (path: string) => path.replace(/^(\/api\/credentials\/).*/i, '$1…')

/** The order is that of what a caller may learn: who asks, what may be asked, what exists, and only then what is wrong. */
async function answerTo(deps: HandleDeps, { endpoints, request, requestId }: Arrival): Promise<PlainAnswer | Problem> {
  const endpoint = endpointOf(endpoints, request.method)
  if (endpoint instanceof Problem) return endpoint
  if (deps.isStopping() && endpoint.access.kind !== 'public') return stopping
  const principal = await authenticate(deps, endpoint, request)
  if (principal instanceof Problem) return deps.failedAttempts.after(principal, request.headers)

  const { body, answer } = await carryOut(deps, { endpoint, principal, request, requestId })
  const unaudited = await deps.auditRequest({ endpoint, principal, request, requestId, body, answer })
  return unaudited ?? answer
}

interface Asked {
  readonly endpoint: Endpoint
  readonly principal: Principal
  readonly request: PlainRequest
  readonly requestId: string
}

/** Never rejects, so that what failed goes on record like what was refused. */
async function carryOut(deps: HandleDeps, asked: Asked): Promise<{ body: unknown; answer: PlainAnswer | Problem }> {
  let body: unknown
  const attempt = async () => {
    const { endpoint, principal, request } = asked
    const refusal = await refusalOf(deps, asked)
    if (refusal) return refusal
    if (!endpoint.hasParams(request.params)) return notFound

    const ifMatch = endpoint.needsIfMatch ? readIfMatch(request.headers.get('if-match')) : matchesAny
    if (ifMatch instanceof Problem) return ifMatch
    const read = endpoint.hasBody ? await readJson(request, deps.clock) : { value: undefined }
    if (read instanceof Problem) return read
    body = read.value

    const { params, orchestrations } = request
    // What a public page is called with besides is nobody's business: links to it are decorated on their way.
    const query = endpoint.readsQuery ? readQuery(request.query) : {}
    if (query instanceof Problem) return query
    const accept = request.headers.get('accept') ?? ''
    const run = endpoint.bind({ params, query, body, ifMatch, accept, orchestrations })
    if (run instanceof Problem) return run
    const runAs = async (subject: string) => {
      const answer = await run(principal, subject)
      return answer instanceof Problem ? answer : renderAnswer(answer)
    }
    return create(deps, { endpoint, principal, request, content: JSON.stringify(body) ?? '' }, runAs)
  }
  const answer = await attempt().catch((error: unknown) => {
    const { requestId, request } = asked
    deps.log.error('a request failed', {
      requestId,
      method: request.method,
      path: request.path,
      error: describeError(error),
    })
    return problemOf(error)
  })
  return { body, answer }
}

function endpointOf(endpoints: Endpoints, method: string): Endpoint | Problem {
  const found = Object.entries(endpoints).find(([name]) => name === method)?.[1]
  if (found) return found
  const allow = Object.keys(endpoints).join(', ')
  return new Problem('method_not_allowed', `Only ${allow} can be sent here.`, { headers: { allow } })
}

async function authenticate(
  deps: HandleDeps,
  { access }: Endpoint,
  request: PlainRequest,
): Promise<Principal | Problem> {
  switch (access.kind) {
    case 'public':
      return { kind: 'public' }
    case 'operator': {
      const operator = await deps.operators.authenticate(request.headers)
      return operator instanceof Problem ? operator : { kind: 'operator', operator }
    }
    case 'tenant': {
      const credential = readCredential(request.headers)
      if (credential instanceof Problem) return credential
      const caller = await deps.authenticator.authenticate(credential)
      return caller instanceof Problem ? caller : { kind: 'tenant', caller }
    }
    default:
      return assertNever(access)
  }
}

/** Why somebody who is known may not do this; undefined where they may. */
async function refusalOf(deps: HandleDeps, { endpoint, principal, request }: Asked): Promise<Problem | undefined> {
  const { access } = endpoint
  if (access.kind === 'operator' && principal.kind === 'operator')
    return requirePlatformPermission(principal.operator, access.permission)
  if (access.kind !== 'tenant' || principal.kind !== 'tenant') return undefined
  const snapshot = await deps.snapshots.get(principal.caller.tenantId)
  // A suspended tenant may still look at what it has; nothing of it changes.
  const mayLook = snapshot?.state === 'suspended' && request.method === 'GET'
  const tenant = mayLook ? snapshot : activeTenant(snapshot)
  return tenant instanceof Problem ? tenant : requirePermission(principal.caller, access.permission)
}

interface Creation {
  readonly endpoint: Endpoint
  readonly principal: Principal
  readonly request: PlainRequest
  readonly content: string
}

/** Runs the endpoint, once for all requests with one `Idempotency-Key` where it creates something. */
async function create(
  { idempotency, tenantRows, platformRows }: HandleDeps,
  { endpoint, principal, request, content }: Creation,
  runAs: (subject: string) => Promise<PlainAnswer | Problem>,
): Promise<PlainAnswer | Problem> {
  const { newSubject } = endpoint
  if (!newSubject) return runAs('')
  const idempotencyKey = readIdempotencyKey(request.headers.get('idempotency-key'))
  if (idempotencyKey instanceof Problem) return idempotencyKey
  if (idempotencyKey === undefined || principal.kind === 'public') return runAs(newSubject())

  const rows = principal.kind === 'tenant' ? tenantRows.partition(TenantScope.ofCaller(principal.caller)) : platformRows
  const who = principal.kind === 'tenant' ? principal.caller.callerId : principal.operator.name
  const name = `${who}\n${request.method}\n${request.path}`
  return idempotency.once({ rows, name, idempotencyKey, content, newSubject }, runAs)
}

function renderAnswer({ status, headers, body, text }: Answer): PlainAnswer {
  if (text !== undefined) return { status, headers: { ...headers }, body: text }
  if (body === undefined) return { status, headers: { ...headers }, body: undefined }
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}
