import type { BackendId, TenantId } from '../base/ids'
import type { Backend } from '../routing/backend'

/**
 * Whether a backend lies in a model account that the tenant provides: its health is the tenant's to see to. A deployment that the
 * platform made for one tenant alone is the platform's; one that is gone from the list is taken for such.
 */
export const ownAccountsOf =
  (backends: ReadonlyMap<BackendId, OwnAccountSigns>, tenantId: TenantId) =>
  (backendId: string): boolean => {
    const backend = backends.get(backendId as BackendId)
    if (backend?.ownerTenantId !== tenantId) return false
    const { credential, directoryId, resourceId } = backend
    return credential.kind === 'tenant-secret' || directoryId !== undefined || resourceId === undefined
  }

type OwnAccountSigns = Pick<Backend, 'ownerTenantId' | 'credential' | 'directoryId' | 'resourceId'>
