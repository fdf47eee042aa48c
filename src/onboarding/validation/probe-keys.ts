import type { NewKey } from '../../access/keys'
import { Problem, ProblemError } from '../../base/problem'
import type { TenantScope } from '../../storage/tenant-scope'
import type { OnboardingDeps } from '../onboarding-deps'

export interface ProbeKeys {
  /** Calls every alias. */
  readonly caller: NewKey
  /** May call once a minute. */
  readonly limited: NewKey
}

const NAME = 'onboarding validation'
/** They are removed at once; this only bounds what a crash leaves. */
const VALID_MS = 3_600_000

/** New keys for every attempt, so that the usage of one attempt can be told from that of another. */
export async function makeProbeKeys({ keys, ids, clock }: OnboardingDeps, scope: TenantScope): Promise<ProbeKeys> {
  const make = async (limits?: { requestsPerMinute: number }) => {
    const expiresAt = clock.now() + VALID_MS
    const key = await keys.create(scope, ids.keyId(), { name: NAME, scopes: ['inference', 'admin'], expiresAt, limits })
    if (key instanceof Problem) throw new ProblemError(key)
    return key
  }
  return { caller: await make(), limited: await make({ requestsPerMinute: 1 }) }
}

/** Removes those of earlier attempts too. */
export async function removeProbeKeys({ keys }: Pick<OnboardingDeps, 'keys'>, scope: TenantScope): Promise<void> {
  for (const { keyId, name } of await keys.list(scope)) if (name === NAME) await keys.remove(scope, keyId)
}
