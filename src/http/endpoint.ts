import type { z } from 'zod'
import { assert } from '../base/assert'
import { Problem } from '../base/problem'
import type { Caller, Scope } from '../access/caller'
import type { Operator } from '../access/operators'
import { parseInput } from './parse-input'
import type { Answer } from './plain-request'
import type { IfMatch } from './precondition'

/** Who may call an endpoint. A tenant's endpoints get the tenant from the credential, never from the path. */
export type Access =
  { readonly kind: 'public' } | { readonly kind: 'operator' } | { readonly kind: 'tenant'; readonly scope: Scope }

export type Principal =
  | { readonly kind: 'public' }
  | { readonly kind: 'operator'; readonly operator: Operator }
  | { readonly kind: 'tenant'; readonly caller: Caller }

/** One method of one route, as `handle` runs it. Made by `publicEndpoint`, `operatorEndpoint` or `tenantEndpoint`. */
export interface Endpoint {
  readonly access: Access
  readonly hasBody: boolean
  /** True where a change must say which version it replaces (RFC 6585, 428). */
  readonly needsIfMatch: boolean
  /** Makes the id of what a creation makes; undefined where `Idempotency-Key` has no meaning. */
  readonly newSubject: (() => string) | undefined
  /** Path parameters that cannot name anything answer as unknown ones do. */
  readonly hasParams: (params: Readonly<Record<string, string>>) => boolean
  readonly bind: (raw: RawInput) => BoundEndpoint | Problem
}

export interface RawInput {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  /** The parsed JSON; undefined where the endpoint takes none. */
  readonly body: unknown
  readonly ifMatch: IfMatch
}

export type BoundEndpoint = (principal: Principal, subject: string) => Promise<Answer | Problem>

/** Schemas for what an endpoint reads; what has none is not read. */
interface Spec<P, Q, B, Who> {
  readonly params?: z.ZodType<P>
  readonly query?: z.ZodType<Q>
  readonly body?: z.ZodType<B>
  readonly needsIfMatch?: boolean
  readonly newSubject?: () => string
  readonly run: (input: Input<P, Q, B> & Who) => Promise<Answer | Problem>
}

export interface Input<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly ifMatch: IfMatch
  /** The id under which to create: a repeated creation gets the same one. Empty where nothing is created. */
  readonly subject: string
}

export function publicEndpoint<P, Q, B>(spec: Spec<P, Q, B, object>): Endpoint {
  return endpoint({ kind: 'public' }, spec, () => ({}))
}

export function operatorEndpoint<P, Q, B>(spec: Spec<P, Q, B, { operator: Operator }>): Endpoint {
  return endpoint({ kind: 'operator' }, spec, (principal) => {
    assert(principal.kind === 'operator', 'handle authenticates by the endpoint’s own access')
    return { operator: principal.operator }
  })
}

export function tenantEndpoint<P, Q, B>(scope: Scope, spec: Spec<P, Q, B, { caller: Caller }>): Endpoint {
  return endpoint({ kind: 'tenant', scope }, spec, (principal) => {
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
    hasBody: spec.body !== undefined,
    needsIfMatch: spec.needsIfMatch ?? false,
    newSubject: spec.newSubject,
    hasParams: (params) => !(parseInput(spec.params, params) instanceof Problem),
    bind: ({ ifMatch, ...raw }) => {
      const params = parseInput(spec.params, raw.params)
      const query = parseInput(spec.query, raw.query)
      const body = parseInput(spec.body, raw.body)
      if (params instanceof Problem) return params
      if (query instanceof Problem) return query
      if (body instanceof Problem) return body
      return (principal, subject) => spec.run({ params, query, body, ifMatch, subject, ...whoIs(principal) })
    },
  }
}
