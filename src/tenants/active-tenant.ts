import { Problem } from '../base/problem'
import type { TenantSnapshot } from './snapshot'

/** The tenant if it may be served now, else why not. A tenant without a snapshot has not been activated yet. */
export function activeTenant(snapshot: TenantSnapshot | undefined): TenantSnapshot | Problem {
  // While it is validated nobody but the onboarding has a credential of it.
  if (snapshot?.state === 'active' || snapshot?.state === 'validating') return snapshot
  return new Problem(
    'tenant_not_active',
    `This tenant is ${snapshot?.state ?? 'still being set up'}. The platform's operator can say more.`,
  )
}
