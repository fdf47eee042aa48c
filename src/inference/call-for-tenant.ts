import type { Caller } from '../access/caller'
import { describeError } from '../base/log'
import { Problem, ProblemError } from '../base/problem'
import { stopping } from '../base/stopping'
import type { Patience } from '../fairness/turn'
import type { ModelAlias, TenantSnapshot } from '../tenants/snapshot'
import { checkActive } from './authorize'
import type { Operation } from './operation'
import { parseCall } from './read-call'
import { serveRead, type ServeDeps } from './serve'

/** A call that the platform makes on a tenant's behalf, with one whole answer. */
export interface CallForTenant {
  readonly tenant: TenantSnapshot
  readonly caller: Caller
  /** The only one that the call can reach: where no backend of it serves, no fallback does. */
  readonly alias: ModelAlias
  readonly operation: Operation
  /** The body but for `model`. */
  readonly body: Readonly<Record<string, unknown>>
  /** Stands before the operation in the usage log: `evaluation` makes `evaluation.chat.completions`. */
  readonly purpose: string
}

/** What the model's backend answered, whatever its status; `remaining` is what the limits have left of requests and tokens. */
export interface AnswerForTenant {
  readonly status: number
  readonly body: unknown
  /** 0 to 1: the smaller of both. */
  readonly remaining: number
}

/**
 * It gives way: where others wait for the backends it does not stand in their line but is refused at once, with the time
 * after which to come again.
 */
export const GIVES_WAY: Patience = { waitMsMax: 0, triesMax: 1 }

/**
 * The same straight line as a client's call behind its credential: admitted, fair, forwarded, metered and charged to the tenant.
 * Refusals are problems with their codes and true waits.
 */
export async function callForTenant(
  deps: ServeDeps,
  { tenant, caller, alias, operation, body, purpose }: CallForTenant,
): Promise<AnswerForTenant | Problem> {
  if (deps.runningCalls.isClosing) return stopping
  const inactive = checkActive(tenant, caller)
  if (inactive) return inactive
  const target = { kind: 'call', operation, family: 'v1', deployment: undefined, apiVersion: undefined } as const
  const call = parseCall(target, Buffer.from(JSON.stringify({ ...body, model: alias.name, stream: false })))
  if (call instanceof Problem) return call
  const callId = deps.ids.callId()
  const trace = deps.traces?.begin({ callId, method: undefined, traceParent: undefined, traceState: null })
  trace?.isOf({ tenantId: tenant.tenantId, keyId: caller.callerId, operation: `${purpose}.${operation.name}` })
  try {
    const answer = await serveRead(deps, {
      call,
      tenant: { ...tenant, aliases: { [alias.name]: alias } },
      caller,
      ids: { callId, requestId: callId, trace },
      start: { startedAt: deps.clock.now(), startedMonotonicMs: deps.clock.monotonicMs() },
      gone: undefined,
      meteredAs: `${purpose}.${operation.name}`,
      patience: GIVES_WAY,
    })
    if (answer instanceof Problem) {
      trace?.answered(answer.entry.status, answer.code)
      return answer
    }
    const { status, headers, body: bytes } = answer
    if (typeof bytes !== 'string' && !Buffer.isBuffer(bytes)) throw new Error('an answer that is not streamed is whole')
    return { status, body: parsed(bytes.toString()), remaining: remainingOf(headers) }
  } catch (error) {
    // What broke is in the log under the call's id, as with clients' calls.
    deps.log.warn('a call for a tenant failed', { callId, purpose, detail: describeError(error) })
    if (error instanceof ProblemError) return error.problem
    return new Problem('internal_error', 'The call failed.')
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Of the limits, as the answer's own rate headers tell them. */
function remainingOf(headers: Readonly<Record<string, string>>): number {
  const share = (of: 'requests' | 'tokens') => {
    const limit = Number(headers[`x-ratelimit-limit-${of}`])
    return limit > 0 ? Number(headers[`x-ratelimit-remaining-${of}`]) / limit : 1
  }
  return Math.min(share('requests'), share('tokens'))
}
