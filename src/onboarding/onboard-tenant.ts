import type { KeyId, TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Keys, NewKey } from '../access/keys'
import { TenantScope } from '../storage/tenant-scope'
import type { TenantInput } from '../tenants/tenant-input'
import type { TenantRecord } from '../tenants/tenant-record'
import type { Tenants } from '../tenants/tenants'

export interface Onboarded {
  readonly tenant: TenantRecord
  readonly firstKey: NewKey
}

/**
 * Takes a tenant from nothing to serving: record, first key, activation. Every step can be repeated under the same
 * tenant id, so an onboarding that broke off goes on where it stopped. The activation compiles the snapshot and is what
 * makes the data path see the tenant (I17).
 */
export async function onboardTenant(
  { tenants, keys }: { tenants: Tenants; keys: Keys },
  tenantId: TenantId,
  input: TenantInput,
): Promise<Onboarded | Problem> {
  const registered = await tenants.register(tenantId, input)
  if (registered instanceof Problem) return registered

  const scope = TenantScope.ofPlatform(tenantId)
  const firstKey = await keys.create(scope, firstKeyId(tenantId), { name: 'first key', scopes: ['inference', 'admin'] })
  if (firstKey instanceof Problem) return firstKey

  const tenant = await tenants.transition(scope, 'activate')
  return tenant instanceof Problem ? tenant : { tenant, firstKey }
}

/** The tenant's own characters, so that a repeated onboarding replaces the key of an earlier attempt, which nobody got to see. */
const firstKeyId = (tenantId: TenantId): KeyId => `key_${tenantId.slice('ten_'.length)}`
