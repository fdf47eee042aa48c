import { z } from 'zod'
import type { CallerPrincipal } from '../access/caller'
import type { AuditActor, AuditChain, AuditEvent, AuditLog } from '../audit/audit-log'
import { assertNever } from '../base/assert'
import { parseTenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { Problem } from '../base/problem'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshots } from '../tenants/tenant-snapshots'
import type { Endpoint, Principal } from './endpoint'
import type { PlainAnswer, PlainRequest } from './plain-request'

/** A request by somebody who is known, with what came of it. */
export interface AuditableRequest {
  readonly endpoint: Endpoint
  readonly principal: Principal
  readonly request: PlainRequest
  readonly requestId: string
  /** The parsed body; undefined where none was read. Only names of known fields are taken from it. */
  readonly body: unknown
  readonly answer: PlainAnswer | Problem
}

/**
 * Writes what has to be on record: every change and attempt at one, every refusal for want of permission, and reads of a
 * tenant's data by others or of its usage and audit (I4). Resolves with a problem where the request was carried out and its
 * entry could not be written: its answer must not go out then.
 */
export type AuditRequest = (request: AuditableRequest) => Promise<Problem | undefined>

const RETRY_AFTER_MS = 1_000
const unwritten = new Problem(
  'storage_unavailable',
  'The request was carried out, but the audit log could not be written. Send it again, under the same Idempotency-Key ' +
    'where it creates something.',
  { retryAfterMs: RETRY_AFTER_MS },
)

export function createAuditRequest({ audit, snapshots, log }: AuditRequestDeps): AuditRequest {
  return async (audited) => {
    const event = auditEventOf(audited)
    if (!event) return undefined
    try {
      await audit.append(await chainOf(snapshots, audited), event)
      return undefined
    } catch (error) {
      log.error('an audit entry was not written', { requestId: audited.requestId, error: describeError(error) })
      // A refusal stays one: nothing happened that would have to be kept back.
      return event.outcome === 'done' ? unwritten : undefined
    }
  }
}

export interface AuditRequestDeps {
  readonly audit: AuditLog
  readonly snapshots: Pick<TenantSnapshots, 'get'>
  readonly log: Log
}

/** What goes on record of a request; undefined where nothing does. */
function auditEventOf(audited: AuditableRequest): AuditEvent | undefined {
  const { endpoint, principal, request, requestId, answer } = audited
  const actor = actorOf(principal)
  if (!actor || endpoint.access.kind === 'public') return undefined
  const status = answer instanceof Problem ? answer.entry.status : answer.status
  const isNoted =
    request.method !== 'GET' || status === 403 || endpoint.auditsReads || isOfOtherTenant(principal, request)
  if (!isNoted) return undefined
  return {
    actor,
    action: endpoint.access.permission,
    target: targetOf(endpoint, request),
    outcome: status < 400 ? 'done' : status < 500 ? 'refused' : 'failed',
    requestId,
    details: { method: request.method, status, ...detailsOf(audited) },
  }
}

/** An operator who names a tenant, whatever for. */
const isOfOtherTenant = (principal: Principal, { params }: PlainRequest) =>
  principal.kind === 'operator' && params['tenantId'] !== undefined

function actorOfCaller(principal: CallerPrincipal): AuditActor {
  if (principal.kind === 'key') return { kind: 'key', id: principal.keyId }
  return { kind: principal.kind, id: `${principal.directoryId}/${principal.objectId}` }
}

function actorOf(principal: Principal): AuditActor | undefined {
  switch (principal.kind) {
    case 'public':
      return undefined
    case 'operator':
      return { kind: 'operator', id: principal.operator.name }
    case 'tenant':
      return actorOfCaller(principal.caller.principal)
    default:
      return assertNever(principal)
  }
}

/** The route with its ids. What is no valid id stays a placeholder: a path may carry anything, a secret by mistake too. */
function targetOf(endpoint: Endpoint, { route, params }: PlainRequest): string {
  if (!endpoint.hasParams(params)) return `/${route}`
  return `/${route.replaceAll(/\{(\w+)\}/g, (placeholder, name: string) => params[name] ?? placeholder)}`
}

/** A path of ours, made of ids; credentials travel in bodies only. */
const OWN_PATH = /^\/api\/[\w./-]{1,200}$/

function detailsOf({ endpoint, body, answer }: AuditableRequest): Record<string, string | boolean> {
  const fields = fieldsOf(endpoint, body)
  if (answer instanceof Problem) return { code: answer.code, ...(fields ? { fields } : {}) }
  const location = answer.headers['location']
  return {
    ...(fields ? { fields } : {}),
    ...(location && OWN_PATH.test(location) ? { made: location } : {}),
    ...(answer.headers['idempotency-replayed'] ? { replayed: true } : {}),
  }
}

/** The names of the endpoint's own fields that the body sets; names of the client's making are not taken over. */
function fieldsOf({ schemas }: Endpoint, body: unknown): string | undefined {
  if (!(schemas.body instanceof z.ZodObject) || typeof body !== 'object' || body === null) return undefined
  const names = Object.keys(schemas.body.shape).filter((name) => Object.hasOwn(body, name))
  return names.length > 0 ? names.join(',') : undefined
}

/**
 * The tenant's own chain where a tenant is concerned. A tenant that was never activated, is being offboarded or does not
 * exist has none to write to: deletion must find nothing new, and a made-up id must not make a partition.
 */
async function chainOf(
  snapshots: Pick<TenantSnapshots, 'get'>,
  { principal, request }: AuditableRequest,
): Promise<AuditChain> {
  const scope = scopeOf(principal, request)
  const state = scope && (await snapshots.get(scope.tenantId))?.state
  return scope && (state === 'active' || state === 'suspended') ? scope : 'platform'
}

function scopeOf(principal: Principal, { params }: PlainRequest): TenantScope | undefined {
  if (principal.kind === 'tenant') return TenantScope.ofCaller(principal.caller)
  const tenantId = parseTenantId(params['tenantId'] ?? '')
  return tenantId && TenantScope.ofPlatform(tenantId)
}
