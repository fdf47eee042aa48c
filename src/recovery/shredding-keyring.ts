import type { TenantKeyring } from '../encryption/sealer'
import type { Replica } from './replica'

/** A key that is destroyed is destroyed in the paired region first: a deletion that breaks off between the two is repeated. */
export const withReplicaShredded = (
  keyring: Pick<TenantKeyring, 'destroy'>,
  replica: Pick<Replica, 'shred'>,
): Pick<TenantKeyring, 'destroy'> => ({
  destroy: async (scope) => {
    await replica.shred(scope)
    await keyring.destroy(scope)
  },
})
