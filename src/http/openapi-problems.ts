import { z } from 'zod'
import { problemCodes, type ProblemCode } from '../base/problem-codes'
import type { Endpoint } from './endpoint'
import type { Method } from './handle'

const fieldError = z.object({
  path: z.string().meta({ description: 'The field, in the request’s own terms: `aliases.0.name`.' }),
  message: z.string().meta({ description: 'What would be valid.' }),
})

/** The body of every refusal and failure of the control plane (RFC 9457). */
export const shownProblem = z
  .object({
    type: z.string().meta({ description: '`urn:tenantry:problem:` and the code.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(problemCodes)).meta({ description: 'What programs tell problems apart by.' }),
    retryable: z.boolean().meta({ description: 'Whether the same request can succeed later without any change.' }),
    requestId: z.string().meta({ description: 'Quote it when you ask for help.' }),
    errors: z.array(fieldError).optional(),
  })
  .meta({ id: 'Problem' })

/** The codes with which an endpoint may refuse: those that follow from what it reads and who may call it, and its own. */
export function problemsOf(endpoint: Endpoint, method: Method): ReadonlySet<ProblemCode> {
  const { access, schemas } = endpoint
  const codes = new Set<ProblemCode>(['internal_error', ...endpoint.problems])
  const add = (...more: ProblemCode[]) => more.forEach((code) => codes.add(code))

  if (endpoint.needsStorage) add('storage_unavailable', 'written_by_newer_release')
  if (access.kind !== 'public') add('too_many_failed_attempts', 'identity_unavailable', 'shutting_down')
  if (access.kind === 'operator') add('operator_credential_required', 'insufficient_scope')
  if (access.kind === 'tenant') add('invalid_api_key', 'insufficient_scope', 'tenant_not_active')
  if (schemas.params || access.kind === 'tenant') add('not_found')
  if (endpoint.readsQuery) add('invalid_request')
  if (endpoint.hasBody)
    add('invalid_request', 'invalid_json', 'unsupported_media_type', 'body_too_large', 'body_timeout')
  if (endpoint.needsIfMatch) add('precondition_required', 'precondition_failed', 'invalid_request')
  if (endpoint.newSubject) add('invalid_request')
  if (method !== 'GET') add('conflict')
  return codes
}
