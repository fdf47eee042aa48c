import { assertNever } from '../base/assert'
import { Problem } from '../base/problem'
import type { ProblemCode } from '../base/problem-codes'
import type { RateView } from '../limits/limiter'
import { admitCall, type AdmitDeps } from './admit'
import { authorize, type Grant } from './authorize'
import { estimateTokens, type Estimate } from './estimate'
import type { Call } from './read-call'
import type { RunningCall } from './running-call'

export type FallBackDeps = AdmitDeps

/** What the call goes on with at the alias to which it falls back. */
export interface FallenBack {
  readonly grant: Grant
  readonly estimate: Estimate
  readonly rates: RateView
}

/** Why no backend of an alias served, where another model may. */
const WORTH: ReadonlySet<ProblemCode> = new Set([
  'backends_cooling_down',
  'queue_full',
  'no_backend',
  'upstream_failed',
  'upstream_timeout',
  'upstream_rejected_us',
  'model_account_refuses',
  'model_asleep',
])

export const isWorthFallback = ({ code }: Problem): boolean => WORTH.has(code)

/**
 * Takes the call over to the alias to which its own falls back: under that one's cap, within its limits, and metered on it at its
 * model's price. Undefined where the alias has none, or this call may not use it: the key is not for it, its cap is lower than
 * what the client asks for, or its limits are used up. Then the first alias's failure stands, with its wait.
 */
export async function fallBack(
  deps: FallBackDeps,
  { call, grant, running, tried }: { call: Call; grant: Grant; running: RunningCall; tried: readonly string[] },
): Promise<FallenBack | undefined> {
  const { tenant, caller, alias } = grant
  const name = alias.asleep?.answeredBy ?? alias.fallback
  // Fallbacks do not lead in circles (`checkFallbacks`), but whose answers stand in may, together with them.
  if (name === undefined || tried.includes(name)) return undefined
  const other = authorize(tenant, caller, { ...call, alias: name })
  if (other instanceof Problem) return undefined
  const estimate = estimateTokens(call, other.outputTokens)
  // The first reservation goes back first: both may be of the same limits.
  running.leaves()
  const admitted = await admitCall(deps, other, { estimate, atMs: running.startedAt })
  switch (admitted.kind) {
    case 'admitted': {
      const { admission } = admitted
      const { name, model } = other.alias
      running.movesTo({
        admission,
        servedAs: { alias: name, model },
        costOf: (usage) => deps.costOf(model, usage, running.startedAt),
      })
      return { grant: other, estimate, rates: admission.rates }
    }
    case 'refused':
    case 'never-fits':
    case 'over-budget':
    case 'quarantined':
      return undefined
    default:
      return assertNever(admitted)
  }
}

/** The answer's headers that tell of it: the alias that answered, and that it is not the one that was called. */
export function fallbackHeaders(call: Call, { alias }: Grant): Record<string, string> {
  if (alias.name === call.alias) return {}
  return { 'x-tenantry-model': alias.name, 'x-tenantry-fallback': 'true' }
}
