/** Who can change the outcome: the caller's code, the tenant's administrators, the provider, or the operator. */
export type Blame = 'caller' | 'tenant' | 'upstream' | 'platform'

export interface ProblemEntry {
  readonly status: number
  /** The title of the RFC 9457 problem. */
  readonly title: string
  /** The `type` of the OpenAI error body, by which SDKs and users tell kinds apart. */
  readonly openAiType: string
  readonly blame: Blame
  /** Whether the same request can succeed later without anything being changed. */
  readonly retryable: boolean
}

const entry = (
  status: number,
  title: string,
  openAiType: string,
  blame: Blame,
  retryable: 'retryable' | 'final',
): ProblemEntry => ({ status, title, openAiType, blame, retryable: retryable === 'retryable' })

/**
 * Every code that a caller can meet. docs/failure-modes.md has an entry for each; a test holds the two together.
 * Codes that OpenAI's own API has keep its spelling, since client code compares them.
 */
export const problemCodes = {
  // The request itself
  invalid_json: entry(400, 'Body is not JSON', 'invalid_request_error', 'caller', 'final'),
  invalid_request: entry(400, 'Request is not valid', 'invalid_request_error', 'caller', 'final'),
  invalid_api_version: entry(400, 'api-version is missing or malformed', 'invalid_request_error', 'caller', 'final'),
  unsupported_parameter: entry(400, 'Parameter is not allowed here', 'invalid_request_error', 'caller', 'final'),
  output_tokens_above_cap: entry(400, 'Output tokens above the cap', 'invalid_request_error', 'tenant', 'final'),
  request_above_token_limit: entry(400, 'Request can never fit the limit', 'invalid_request_error', 'tenant', 'final'),
  file_quota_exceeded: entry(400, 'Room for files used up', 'invalid_request_error', 'tenant', 'final'),
  body_too_large: entry(413, 'Body too large', 'invalid_request_error', 'caller', 'final'),
  unsupported_media_type: entry(415, 'Body must be JSON', 'invalid_request_error', 'caller', 'final'),
  client_closed_request: entry(499, 'The client has gone', 'invalid_request_error', 'caller', 'final'),
  body_timeout: entry(408, 'Body did not arrive in time', 'invalid_request_error', 'caller', 'retryable'),
  // Who calls, and what they may do
  invalid_api_key: entry(401, 'Credential missing or wrong', 'authentication_error', 'caller', 'final'),
  operator_credential_required: entry(401, 'Operator credential required', 'authentication_error', 'caller', 'final'),
  insufficient_scope: entry(403, 'Credential may not do this', 'permission_error', 'tenant', 'final'),
  tenant_not_active: entry(403, 'Tenant is not active', 'permission_error', 'tenant', 'final'),
  // What they name
  DeploymentNotFound: entry(404, 'No such deployment or model', 'invalid_request_error', 'caller', 'final'),
  previous_response_not_found: entry(404, 'No such previous response', 'invalid_request_error', 'caller', 'final'),
  not_found: entry(404, 'Not found', 'invalid_request_error', 'caller', 'final'),
  method_not_allowed: entry(405, 'Method not allowed', 'invalid_request_error', 'caller', 'final'),
  conflict: entry(409, 'Already exists or was changed', 'invalid_request_error', 'caller', 'final'),
  too_few_consents: entry(409, 'Too few tenants consent', 'invalid_request_error', 'tenant', 'final'),
  consent_withdrawn: entry(409, 'A consent was withdrawn', 'invalid_request_error', 'tenant', 'final'),
  precondition_failed: entry(412, 'Changed by someone else', 'invalid_request_error', 'caller', 'final'),
  precondition_required: entry(428, 'If-Match required', 'invalid_request_error', 'caller', 'final'),
  registration_rejected: entry(409, 'Registration rejected', 'invalid_request_error', 'tenant', 'final'),
  link_used_up: entry(410, 'Link already used or expired', 'invalid_request_error', 'caller', 'final'),
  tenant_account_refused: entry(
    409,
    'The tenant’s own account cannot be used',
    'invalid_request_error',
    'tenant',
    'final',
  ),
  // Limits
  rate_limit_exceeded: entry(429, 'Rate limit reached', 'rate_limit_error', 'tenant', 'retryable'),
  concurrency_limit_exceeded: entry(429, 'Too many calls at once', 'rate_limit_error', 'tenant', 'retryable'),
  too_many_failed_attempts: entry(429, 'Too many wrong credentials', 'rate_limit_error', 'caller', 'retryable'),
  insufficient_quota: entry(429, 'Budget used up', 'insufficient_quota', 'tenant', 'final'),
  backends_cooling_down: entry(429, 'Every backend is cooling down', 'rate_limit_error', 'upstream', 'retryable'),
  quarantined: entry(429, 'Calls are held back', 'rate_limit_error', 'tenant', 'retryable'),
  queue_full: entry(429, 'Too many calls wait for the model', 'rate_limit_error', 'upstream', 'retryable'),
  // The provider
  upstream_failed: entry(502, 'The model backend failed', 'server_error', 'upstream', 'retryable'),
  upstream_rejected_us: entry(502, 'The model backend refused the platform', 'server_error', 'platform', 'final'),
  model_account_refuses: entry(502, 'The tenant’s own account refuses us', 'server_error', 'tenant', 'final'),
  upstream_timeout: entry(504, 'The model backend did not answer in time', 'server_error', 'upstream', 'retryable'),
  // The platform
  no_backend: entry(503, 'No backend is configured for this model', 'server_error', 'platform', 'final'),
  model_asleep: entry(503, 'The model sleeps and is being woken', 'server_error', 'tenant', 'retryable'),
  tenant_moving: entry(503, 'The tenant is being moved', 'server_error', 'platform', 'retryable'),
  identity_unavailable: entry(503, 'Token keys cannot be had', 'server_error', 'platform', 'retryable'),
  storage_unavailable: entry(503, 'Storage did not answer', 'server_error', 'platform', 'retryable'),
  written_by_newer_release: entry(503, 'Written by a newer release', 'server_error', 'platform', 'retryable'),
  metering_unavailable: entry(503, 'The usage log cannot be written', 'server_error', 'platform', 'retryable'),
  instance_overloaded: entry(503, 'This instance is full', 'server_error', 'platform', 'retryable'),
  shutting_down: entry(503, 'This instance is stopping', 'server_error', 'platform', 'retryable'),
  offboarding_incomplete: entry(500, 'Something of the tenant is left', 'server_error', 'platform', 'retryable'),
  validation_failed: entry(500, 'Validation of the tenant failed', 'server_error', 'platform', 'final'),
  validation_incomplete: entry(503, 'Validation could not be ended', 'server_error', 'upstream', 'retryable'),
  public_endpoint_unreachable: entry(503, 'Own endpoint unreachable', 'server_error', 'platform', 'retryable'),
  no_stamp: entry(503, 'No stamp has room', 'server_error', 'platform', 'final'),
  provisioning_refused: entry(502, 'Azure refused a resource', 'server_error', 'platform', 'final'),
  internal_error: entry(500, 'Internal error', 'server_error', 'platform', 'retryable'),
} as const satisfies Record<string, ProblemEntry>

export type ProblemCode = keyof typeof problemCodes

export const isProblemCode = (text: string): text is ProblemCode => Object.hasOwn(problemCodes, text)
