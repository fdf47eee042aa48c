import type { TenantInput } from '../../src/tenants/tenant-input'

/** A tenant with nothing special, as operators write it; `more` in place of what it says. */
export const tenantInput = (more: Partial<TenantInput> = {}): TenantInput => ({
  displayName: 'Tuned',
  contact: { email: 'a@b.example' },
  tier: 'premium',
  region: 'swedencentral',
  residency: [],
  isolation: { models: 'shared', data: 'logical' },
  aliases: [],
  limitOverrides: {},
  settings: {},
  ...more,
})
