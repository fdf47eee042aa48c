import type { BackendCredentials } from '../azure/backend-credentials'
import { UpstreamError } from '../azure/upstream-error'
import type { UpstreamResponse } from '../azure/upstream-exchange'
import type { UpstreamHttp } from '../azure/upstream-http'
import type { Clock } from '../base/clock'
import type { BackendId } from '../base/ids'
import { Problem, ProblemError } from '../base/problem'
import type { BackendLookup } from '../inference/send-call'
import { readRetryAfterMs } from '../routing/retry-after'
import type { Holder } from './response-record'
import { isSameAccount } from './response-record'

/** Responses as the account that made them keeps them: Azure's `/openai/v1/responses`, or those of an OpenAI-compatible server. */
export interface AccountResponses {
  ask(held: Held, request: AccountRequest): Promise<AccountAnswer>
}

export interface Held {
  readonly upstreamId: string
  readonly holder: Holder
}

export interface AccountRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Behind the response's own path: `/cancel`. */
  readonly action?: '/cancel' | '/input_items'
  readonly query?: URLSearchParams
  readonly callId?: string
  readonly isStream?: boolean
  readonly signal?: AbortSignal | undefined
}

export type AccountAnswer =
  | { readonly kind: 'answered'; readonly answer: UpstreamResponse }
  /** It has no such response (any more). */
  | { readonly kind: 'missing' }
  /** The request is refused as it is. */
  | { readonly kind: 'refused'; readonly status: number; readonly body: Buffer }
  /** Not now. */
  | { readonly kind: 'failed'; readonly problem: Problem }

const FIRST_BYTE_MS_MAX = 60_000
const IDLE_MS_MAX = 60_000
const TOTAL_MS_MAX = 20 * 60_000
const ERROR_BYTES_MAX = 64 * 1024

export interface AccountResponsesDeps {
  readonly upstream: Pick<UpstreamHttp, 'send'>
  readonly credentials: BackendCredentials
  readonly backends: () => BackendLookup | Promise<BackendLookup>
  readonly clock: Clock
}

export function createAccountResponses(deps: AccountResponsesDeps): AccountResponses {
  return {
    ask: async (held, request) => {
      try {
        return await judged(await send(deps, held, request), deps.clock)
      } catch (error) {
        if (error instanceof ProblemError) return { kind: 'failed', problem: error.problem }
        if (error instanceof UpstreamError) return { kind: 'failed', problem: unanswered(error) }
        throw error
      }
    },
  }
}

async function send(
  { upstream, credentials, backends }: AccountResponsesDeps,
  { upstreamId, holder }: Held,
  { method, action, query, callId, isStream = false, signal }: AccountRequest,
): Promise<UpstreamResponse> {
  const account = currentOf(holder, await backends())
  const isAzure = holder.api.kind === 'azure-openai'
  const proof = await credentials.headerOf(account, isAzure ? 'api-key' : 'bearer')
  const { origin, pathname } = new URL(`${holder.endpoint}${isAzure ? '/openai/v1' : ''}/responses/`)
  const asked = query && query.size > 0 ? `?${query.toString()}` : ''
  return upstream.send({
    method,
    origin,
    path: `${pathname}${encodeURIComponent(upstreamId)}${action ?? ''}${asked}`,
    headers: {
      accept: isStream ? 'text/event-stream' : 'application/json',
      'user-agent': 'tenantry',
      ...(callId === undefined ? {} : { 'x-ms-client-request-id': callId }),
      ...(proof ? { [proof[0]]: proof[1] } : {}),
    },
    firstByteTimeoutMs: FIRST_BYTE_MS_MAX,
    idleTimeoutMs: IDLE_MS_MAX,
    totalTimeoutMs: TOTAL_MS_MAX,
    ...(signal ? { signal } : {}),
  })
}

/** By the credential that the backend has by now, and by the one that it had where it is gone. */
function currentOf(
  holder: Holder,
  backends: BackendLookup,
): Pick<Holder, 'endpoint' | 'credential' | 'ownerTenantId' | 'directoryId'> {
  const id: BackendId = holder.backendId
  const backend = backends.get(id)
  return backend && isSameAccount(backend, holder) ? backend : holder
}

async function judged(answer: UpstreamResponse, clock: Clock): Promise<AccountAnswer> {
  const { status, headers } = answer
  if (status >= 200 && status < 300) return { kind: 'answered', answer }
  const body = (await answer.body.readAll(ERROR_BYTES_MAX)) ?? Buffer.alloc(0)
  if (status === 404) return { kind: 'missing' }
  if (status === 401 || status === 403) {
    const text = 'The account that holds the response refused the platform.'
    return { kind: 'failed', problem: new Problem('upstream_rejected_us', text, { internal: `HTTP ${status}` }) }
  }
  if (status === 429) {
    const waitMs = readRetryAfterMs(headers, body.toString('utf8', 0, 2_000), clock.now())
    const text = 'The account that holds the response is at capacity.'
    return { kind: 'failed', problem: new Problem('backends_cooling_down', text, { retryAfterMs: waitMs }) }
  }
  // A redirection comes from what stands in front of the account.
  if (status < 400 || status === 408 || status >= 500) {
    return { kind: 'failed', problem: new Problem('upstream_failed', FAILED, { internal: `HTTP ${status}` }) }
  }
  return { kind: 'refused', status, body }
}

const FAILED = 'The account that holds the response failed to answer.'

function unanswered({ kind, message: internal }: UpstreamError): Problem {
  if (kind === 'timeout') return new Problem('upstream_timeout', FAILED, { internal })
  return new Problem(kind === 'cancelled' ? 'client_closed_request' : 'upstream_failed', FAILED, { internal })
}
