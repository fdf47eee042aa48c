import type { TenantRecord } from '../tenants/tenant-record'

/** Why a tenant has no replica. */
export const leftOutReasons = ['residency', 'own-account', 'not-active'] as const
export type LeftOut = (typeof leftOutReasons)[number]

/** In words, for who reads the status. */
export const leftOutText: Readonly<Record<LeftOut, string>> = {
  residency: 'The paired region is not among the regions that the tenant is bound to.',
  'own-account': 'The tenant’s data lies in a storage account of its own; choose a replicated kind of account for it.',
  'not-active': 'The tenant is being made or deleted.',
}

/** Undefined where the tenant's records may lie in `region` too. Pure. */
export function leftOutOf(
  record: Pick<TenantRecord, 'state' | 'residency' | 'isolation'>,
  region: string,
): LeftOut | undefined {
  if (record.state !== 'active' && record.state !== 'suspended') return 'not-active'
  if (record.residency.length > 0 && !record.residency.includes(region)) return 'residency'
  // In a table that tenants share it would be less apart from them than its tenant has asked for.
  return record.isolation.data === 'account' ? 'own-account' : undefined
}
