import { assertNever } from '../base/assert'
import { Problem } from '../base/problem'
import { INFERENCE_ROLE } from '../routing/account-watch'
import type { Backend } from '../routing/backend'
import type { Unanswered } from './attempt'
import { isPlatformOwner } from '../tenants/platform-owner'

export interface Unserved {
  /** When the first backend is back that rested from the start. */
  readonly restMs: number | undefined
  /** Whether some backends were left that may serve at once. */
  readonly untried: boolean
  /** The backend that was tried last. */
  readonly last: Backend
}

/** Backends that nobody has asked yet may be asked at once. */
const UNTRIED_WAIT_MS = 1

/**
 * What the client is told when no backend answered. Where any of them was at capacity it is that, with the shortest true wait
 * of all that may serve (I7): a wait heals it. Otherwise it is the last failure.
 */
export function unansweredProblem(failures: readonly Unanswered[], { restMs, untried, last }: Unserved): Problem {
  const waits = failures.flatMap((one) => (one.kind === 'throttled' || one.kind === 'resting' ? [one.waitMs] : []))
  if (waits.length > 0) {
    return allResting(Math.min(...waits, restMs ?? Infinity, untried ? UNTRIED_WAIT_MS : Infinity))
  }
  const failed = failures.findLast((one) => one.kind === 'failed')
  return failed ? failureProblem(failed, last) : new Problem('client_closed_request', 'The client has gone.')
}

/** Also used where the plan already finds every backend at rest. */
export function allResting(waitMs: number): Problem {
  const seconds = Math.ceil(waitMs / 1_000)
  return new Problem('backends_cooling_down', `Every backend of this model is at capacity. Retry after ${seconds} s.`, {
    retryAfterMs: waitMs,
  })
}

function failureProblem({ why, detail: internal }: Extract<Unanswered, { kind: 'failed' }>, last: Backend): Problem {
  switch (why) {
    case 'timeout':
      return new Problem('upstream_timeout', 'The model backend did not answer in time.', { internal })
    case 'rejected-us':
      if (last.ownerTenantId !== undefined && !isPlatformOwner(last.ownerTenantId))
        return new Problem('model_account_refuses', refusedByOwn(last), { internal })
      return new Problem('upstream_rejected_us', 'The model backend refused the platform; its operator is informed.', {
        internal,
      })
    case 'not-served':
      return new Problem('upstream_rejected_us', 'The model backend does not have this endpoint.', { internal })
    case 'connect':
    case 'broken':
    case 'status':
      return new Problem('upstream_failed', 'The model backend failed; the call was not answered.', { internal })
    default:
      return assertNever(why)
  }
}

/** Only the tenant's own calls lead there, so that it may read what its administrators have to do. */
function refusedByOwn({ credential }: Backend): string {
  const what = 'The Azure OpenAI account that your organization provides for this model refuses the platform.'
  if (credential.kind === 'tenant-secret') {
    return `${what} An administrator of yours has to hand over a key that is valid: the one named "${credential.name}" is not.`
  }
  return `${what} An administrator of yours has to give the platform's application the role "${INFERENCE_ROLE}" on that account, and let it through the account's firewall.`
}
