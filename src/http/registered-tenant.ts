import type { RegistrationSettings } from '../onboarding/registration-settings'
import { tenantInput, type TenantInput } from '../tenants/tenant-input'

/** What somebody who registers becomes: what they say of themselves, and what operators have set for all of them. */
export const registeredTenant = (
  { tier, aliases }: RegistrationSettings,
  asked: Pick<TenantInput, 'displayName' | 'contact' | 'region'>,
): TenantInput => tenantInput.parse({ ...asked, tier, aliases })
