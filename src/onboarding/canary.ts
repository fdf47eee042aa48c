import type { Keys, NewKey } from '../access/keys'
import type { Clock } from '../base/clock'
import type { IdMaker } from '../base/ids'
import { Problem, ProblemError } from '../base/problem'
import { TenantScope } from '../storage/tenant-scope'
import { canaryAlias, canaryTenantId } from '../tenants/canary'
import type { TenantInput } from '../tenants/tenant-input'
import type { Tenants } from '../tenants/tenants'

/** A key of the platform's own tenant, which is made at the first onboarding. */
export type CanaryKey = () => Promise<NewKey>

const KEY_VALID_MS = 86_400_000
/** So early another key is made, lest a validation outlive its own. */
const RENEW_AHEAD_MS = 3_600_000

/** One key a process and day. */
export function createCanaryKey(deps: { tenants: Tenants; keys: Keys; ids: IdMaker; clock: Clock }): CanaryKey {
  let made: Promise<NewKey> | undefined
  return async () => {
    const known = await made?.catch(() => undefined)
    if (known && (known.record.expiresAt ?? 0) > deps.clock.now() + RENEW_AHEAD_MS) return known
    made = makeCanaryKey(deps)
    return made
  }
}

async function makeCanaryKey({ tenants, keys, ids, clock }: Parameters<typeof createCanaryKey>[0]): Promise<NewKey> {
  const scope = TenantScope.ofPlatform(canaryTenantId)
  orThrow(await tenants.register(canaryTenantId, CANARY))
  orThrow(await tenants.transition(scope, 'activate'))
  const expiresAt = clock.now() + KEY_VALID_MS
  return orThrow(await keys.create(scope, ids.keyId(), { name: 'canary', scopes: ['inference', 'admin'], expiresAt }))
}

const CANARY: TenantInput = {
  displayName: 'Platform canary',
  contact: { email: 'canary@localhost.localdomain' },
  tier: 'free',
  region: 'local',
  residency: [],
  isolation: { models: 'shared', data: 'logical' },
  aliases: [{ name: canaryAlias, model: canaryAlias, capabilities: ['chat'], groups: [] }],
  limitOverrides: {},
  settings: {},
}

function orThrow<T>(result: T | Problem): T {
  if (result instanceof Problem) throw new ProblemError(result)
  return result
}
