import type { Caller } from '../access/caller'
import type { Clock } from '../base/clock'
import type { CallId } from '../base/ids'
import { Problem, ProblemError } from '../base/problem'
import type { Limiter } from '../limits/limiter'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantSnapshot } from '../tenants/snapshot'
import { accountOf } from './account'
import { limitRefusal } from './admit'
import { requestIdHeaders, type Answer } from './answer'
import { rateHeaders } from './answer-headers'
import { checkEncoding } from './body-encoding'
import type { BodyShare } from './body-room'
import type { InferenceRequest } from './inference-request'
import type { Target } from './match-path'
import type { Body } from './operation'
import { parseBody, readBytes } from './read-call'

type StoredTarget = Extract<Target, { kind: 'stored' }>

const JSON_BYTES_MAX = 1024 * 1024
/** A body may take as long as it needs, but not stand still. */
const IDLE_MS_MAX = 60_000

export interface StoredCall {
  readonly target: StoredTarget
  readonly request: InferenceRequest
  readonly tenant: TenantSnapshot
  readonly caller: Caller
  readonly callId: CallId
  readonly requestId: string
  readonly share: BodyShare
}

/** One request of the limits, no tokens; the rest is the operation's. */
export async function serveStored(
  { limiter, clock }: { limiter: Limiter; clock: Clock },
  { target, request, tenant, caller, callId, requestId, share }: StoredCall,
): Promise<Answer | Problem> {
  const account = accountOf(tenant)
  const admitted = await limiter.admit({
    tenantId: account.limitedAs,
    limits: account.limits,
    key: caller.limits && { keyId: caller.callerId, limits: caller.limits },
    tokens: 1,
  })
  if (admitted.kind !== 'admitted') return limitRefusal(admitted, 1)
  const { admission } = admitted
  try {
    const { family, deployment, apiVersion, params } = target
    const answer = await target.operation.serve({
      scope: TenantScope.ofCaller(caller),
      tenant,
      caller,
      family,
      deployment,
      apiVersion,
      params,
      query: request.query,
      headers: request.headers,
      requestId,
      callId,
      gone: request.gone,
      taken: request.taken,
      readJson: () => readJson(request, share),
      bytes: () => flowing(request, clock),
    })
    if (answer instanceof Problem) return answer
    const headers = { ...answer.headers, ...requestIdHeaders(requestId), ...rateHeaders(admission.rates) }
    return { ...answer, headers }
  } finally {
    admission.settle(0)
  }
}

async function readJson(request: InferenceRequest, share: BodyShare): Promise<Body | Problem> {
  const bytes = await readBytes(request, share, JSON_BYTES_MAX)
  return bytes instanceof Problem ? bytes : parseBody(bytes)
}

/** Ends with a problem where the sender stands still or goes away, or packs what it sends. */
async function* flowing(request: InferenceRequest, clock: Clock): AsyncGenerator<Uint8Array> {
  const encoded = checkEncoding(request.headers)
  if (encoded) throw new ProblemError(encoded)
  const iterator = request.bytes()[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await within(iterator.next(), clock)
      if (next.done) return
      yield next.value
    }
  } finally {
    // Not awaited: an iterator that stands still does not return either.
    void iterator.return?.().catch(() => {})
  }
}

function within<T>(piece: Promise<T>, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const stalled = new Problem('body_timeout', `The body stood still for ${IDLE_MS_MAX / 1_000} s.`)
    const cancel = clock.after(IDLE_MS_MAX, () => reject(new ProblemError(stalled)))
    const cutOff = new Problem('invalid_request', 'The connection was closed before the body was complete.')
    piece.then(resolve, (cause: unknown) => reject(new ProblemError(cutOff, { cause }))).finally(cancel)
  })
}
