import { Problem } from '../base/problem'
import type { TenantSnapshot } from './snapshot'

/** The tenant if it may be served now, else why not. A tenant without a snapshot has not been activated yet. */
export function activeTenant(snapshot: TenantSnapshot | undefined): TenantSnapshot | Problem {
  if (snapshot?.state === 'active') return snapshot
  return new Problem(
    'tenant_not_active',
    `This tenant is ${snapshot?.state ?? 'still being set up'}. The platform's operator can say more.`,
  )
}
