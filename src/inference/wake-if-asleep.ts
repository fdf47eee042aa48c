import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import { wakeWaitMs } from '../tenants/asleep-backend'
import type { AsleepAlias } from '../tenants/snapshot'
import type { Grant } from './authorize'

export interface WakeDeps {
  /** Asks for the model that sleeps; nothing is waited for. */
  readonly wake: (tenantId: TenantId, asleep: AsleepAlias) => void
  readonly clock: Clock
}

/**
 * A call of a model that sleeps wakes it, and is told when it answers (I7): by how long that took before, and by how far it is.
 * Undefined where the alias leads to any that is awake, as nearly all do: the tenant's snapshot says so, and nothing is read.
 */
export function wakeIfAsleep(
  { wake, clock }: WakeDeps,
  { tenant, alias: { name, asleep } }: Pick<Grant, 'tenant' | 'alias'>,
): Problem | undefined {
  if (!asleep) return undefined
  wake(tenant.tenantId, asleep)
  const nowMs = clock.now()
  const retryAfterMs = wakeWaitMs(asleep, nowMs)
  return new Problem(
    'model_asleep',
    `${stateOf(name, asleep, nowMs)} Retry after ${Math.ceil(retryAfterMs / 1_000)} s.`,
    {
      retryAfterMs,
    },
  )
}

function stateOf(name: string, { waking, refused }: AsleepAlias, nowMs: number): string {
  if (refused && refused.untilMs > nowMs)
    return `The model of '${name}' sleeps, and could not be deployed again (${refused.code}); the next call after a pause tries anew.`
  if (!waking) return `Nobody has called '${name}' for a while, so its model sleeps. It is being deployed again.`
  return waking.stage === 'making'
    ? `The model of '${name}' is being deployed again.`
    : `The model of '${name}' is deployed again, and about to answer.`
}
