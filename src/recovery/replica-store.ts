import type { TenantStore } from '../offboarding/tenant-store'
import type { Replica } from './replica'

/** Offboarding's entry for what a tenant has in the paired account, where its tables have the names that they have here. */
export const replicaStore = (replica: Pick<Replica, 'remove' | 'census'>): TenantStore => ({
  name: 'replica in the paired region',
  holds: {},
  remove: async (scope) => {
    await replica.remove(scope)
    return { kind: 'removed' }
  },
  census: replica.census,
})
