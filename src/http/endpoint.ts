import { z } from 'zod'
import { assert } from '../base/assert'
import { Problem } from '../base/problem'
import type { ProblemCode } from '../base/problem-codes'
import type { Caller } from '../access/caller'
import type { Operator } from '../access/operators'
import type { PlatformPermission, TenantPermission } from '../access/permissions'
import type { Orchestrations } from '../base/durable-steps'
import { parseInput } from './parse-input'
import type { Answer } from './plain-request'
import type { IfMatch } from './precondition'

/** Who may call an endpoint. A tenant's endpoints get the tenant from the credential, never from the path. */
export type Access =
  | { readonly kind: 'public' }
  | { readonly kind: 'operator'; readonly permission: PlatformPermission }
  | { readonly kind: 'tenant'; readonly permission: TenantPermission }

export type Principal =
  | { readonly kind: 'public' }
  | { readonly kind: 'operator'; readonly operator: Operator }
  | { readonly kind: 'tenant'; readonly caller: Caller }

/** One method of one route, as `handle` runs it. Made by `publicEndpoint`, `operatorEndpoint` or `tenantEndpoint`. */
export interface Endpoint {
  readonly access: Access
  /** What it does, in one line, for the API's documentation. */
  readonly summary: string
  readonly schemas: EndpointSchemas
  readonly answerStatus: SuccessStatus
  /** Of an answer that is no JSON; beside `answer` where both can be asked for. */
  readonly answerType: string | undefined
  /** Codes that this endpoint may answer with, beyond those that follow from its schemas and its access. */
  readonly problems: readonly ProblemCode[]
  /** False where it answers whether storage does or not. */
  readonly needsStorage: boolean
  readonly hasBody: boolean
  /** Where it is read, what is not known in it is refused: a misspelt option must not be taken for an absent one. */
  readonly readsQuery: boolean
  /** Whether a read goes on record as a change does. */
  readonly auditsReads: boolean
  /** True where a change must say which version it replaces (RFC 6585, 428). */
  readonly needsIfMatch: boolean
  /** Makes the id of what a creation makes; undefined where `Idempotency-Key` has no meaning. */
  readonly newSubject: (() => string) | undefined
  /** Path parameters that cannot name anything answer as unknown ones do. */
  readonly hasParams: (params: Readonly<Record<string, string>>) => boolean
  readonly bind: (raw: RawInput) => BoundEndpoint | Problem
}

/** What the API's documentation is made of: the same schemas that validate. */
export interface EndpointSchemas {
  readonly params?: z.ZodType | undefined
  readonly query?: z.ZodType | undefined
  readonly body?: z.ZodType | undefined
  /** The body of a success; absent where it has none. */
  readonly answer?: z.ZodType | undefined
  /** The body of a 503 that is no problem but an answer. */
  readonly unready?: z.ZodType | undefined
}

/** A success, as the API's documentation promises it. */
export type SuccessStatus = 200 | 201 | 202 | 204

export interface RawInput {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** The parsed JSON; undefined where the endpoint takes none. */
  readonly body: unknown
  readonly ifMatch: IfMatch
  readonly accept?: string | undefined
  readonly orchestrations: Orchestrations
}

export type BoundEndpoint = (principal: Principal, subject: string) => Promise<Answer | Problem>

/** Schemas for what an endpoint reads; what has none is not read. */
interface Spec<P, Q, B, Who> {
  readonly summary: string
  readonly answer?: z.ZodType
  /** By default 201 where something is created, 204 where there is no answer, else 200. */
  readonly answerStatus?: SuccessStatus
  readonly answerType?: string
  readonly unready?: z.ZodType
  /** True by default. */
  readonly needsStorage?: boolean
  readonly problems?: readonly ProblemCode[]
  readonly params?: z.ZodType<P>
  readonly query?: z.ZodType<Q>
  /** Where the slice parses the query itself: what it takes. */
  readonly shownQuery?: z.ZodType
  readonly body?: z.ZodType<B>
  readonly needsIfMatch?: boolean
  /** Only to say otherwise than `auditsReads` below does. */
  readonly auditsReads?: boolean
  readonly newSubject?: () => string
  readonly run: (input: Input<P, Q, B> & Who) => Promise<Answer | Problem>
}

export interface Input<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly ifMatch: IfMatch
  /** The `Accept` header, for what is there in more than one form; empty where it was not sent. */
  readonly accept: string
  readonly orchestrations: Orchestrations
  /** The id under which to create: a repeated creation gets the same one. Empty where nothing is created. */
  readonly subject: string
}

export function publicEndpoint<P, Q, B>(spec: Spec<P, Q, B, object>): Endpoint {
  return endpoint({ kind: 'public' }, spec, () => ({}))
}

export function operatorEndpoint<P, Q, B>(
  permission: PlatformPermission,
  spec: Spec<P, Q, B, { operator: Operator }>,
): Endpoint {
  return endpoint({ kind: 'operator', permission }, spec, (principal) => {
    assert(principal.kind === 'operator', 'handle authenticates by the endpoint’s own access')
    return { operator: principal.operator }
  })
}

export function tenantEndpoint<P, Q, B>(
  permission: TenantPermission,
  spec: Spec<P, Q, B, { caller: Caller }>,
): Endpoint {
  return endpoint({ kind: 'tenant', permission }, spec, (principal) => {
    assert(principal.kind === 'tenant', 'handle authenticates by the endpoint’s own access')
    return { caller: principal.caller }
  })
}

function endpoint<P, Q, B, Who>(
  access: Access,
  spec: Spec<P, Q, B, Who>,
  whoIs: (principal: Principal) => Who,
): Endpoint {
  return {
    access,
    summary: spec.summary,
    schemas: {
      params: spec.params,
      query: spec.shownQuery ?? spec.query,
      body: spec.body,
      answer: spec.answer,
      unready: spec.unready,
    },
    answerStatus: spec.answerStatus ?? usualStatus(spec),
    answerType: spec.answerType,
    problems: spec.problems ?? [],
    needsStorage: spec.needsStorage ?? true,
    hasBody: spec.body !== undefined,
    readsQuery: spec.query !== undefined || access.kind !== 'public',
    auditsReads: spec.auditsReads ?? auditsReads(access),
    needsIfMatch: spec.needsIfMatch ?? false,
    newSubject: spec.newSubject,
    hasParams: (params) => !(parseInput(spec.params, params) instanceof Problem),
    bind: ({ ifMatch, accept = '', orchestrations, ...raw }) => {
      const params = parseInput(spec.params, raw.params)
      const surplus = spec.query ? undefined : parseInput(noQuery, raw.query)
      const query = parseInput(spec.query, raw.query)
      const body = parseInput(spec.body, raw.body)
      if (params instanceof Problem) return params
      if (surplus instanceof Problem) return surplus
      if (query instanceof Problem) return query
      if (body instanceof Problem) return body
      return (principal, subject) =>
        spec.run({ params, query, body, ifMatch, accept, orchestrations, subject, ...whoIs(principal) })
    },
  }
}

const noQuery = z.strictObject({})

function usualStatus(spec: { answer?: unknown; answerType?: unknown; newSubject?: unknown }): SuccessStatus {
  if (!spec.answer && !spec.answerType) return 204
  return spec.newSubject ? 201 : 200
}

/** An operator's look at tenants, and anybody's at what was used and who did what. */
const auditedReads: ReadonlySet<PlatformPermission | TenantPermission> = new Set([
  'usage.read',
  'audit.read',
  'platform.tenants.read',
  'platform.keys.read',
  'platform.alerts.read',
  'platform.audit.read',
])

const auditsReads = (access: Access) => access.kind !== 'public' && auditedReads.has(access.permission)
