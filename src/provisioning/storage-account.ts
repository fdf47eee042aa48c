import type { Arm, ArmResource } from '../azure/arm'
import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { TenantAccount } from '../storage/tenant-data'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantRecord } from '../tenants/tenant-record'
import { ensureResource, refusedByAzure, removeResource, type Ensured } from './ensure-resource'
import { placementOf, type Placement, type PlacementDeps } from './placement'
import { storageAccountNameOf, tenantTag } from './resource-names'
import { ensureRole, removeRole, roles } from './role-assignments'

/** A storage account of a tenant's own (product 2.2), in the resource group of its stamp. */
export interface TenantStorageAccounts {
  /** One step towards it; `ready` when it is there and the platform's roles on it are given. */
  ensure(scope: TenantScope, record: Pick<TenantRecord, 'region' | 'residency'>): Promise<StorageEnsured>
  /** One step towards its being gone, with all that is in it. */
  remove(scope: TenantScope): Promise<{ kind: 'removed' } | { kind: 'not-yet'; againAfterMs: number }>
  /** 1 while it is there, in whatever state. */
  census(scope: TenantScope): Promise<number>
  /** A key of the account, base64; for a platform that works by keys itself. */
  keyOf(resourceId: string): Promise<string>
}

export type StorageEnsured =
  | { readonly kind: 'ready'; readonly account: TenantAccount }
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
  | { readonly kind: 'failed'; readonly problem: Problem }

export interface StorageAccountDeps extends PlacementDeps {
  readonly arm: Arm
  /** Whether the platform reaches storage by keys (a connection string) rather than by its identity. */
  readonly usesKeys: boolean
}

const API_VERSION = '2024-01-01'
/** Three copies in three places of the region: what is in it is in no other store. */
const SKU = 'Standard_ZRS'
const dataRoles = [roles.blobDataContributor, roles.queueDataContributor, roles.tableDataContributor]
const ROW = 'storage-account'

export function createTenantStorageAccounts(deps: StorageAccountDeps): TenantStorageAccounts {
  const { arm, rows, usesKeys } = deps
  const idOf = async (scope: TenantScope) => {
    const row = await rows.get(scope, ROW)
    return row && fromJsonColumns<{ resourceId: string }>(row.columns).resourceId
  }
  return {
    ensure: async (scope, record) => {
      const placement = await placementOf(deps, scope, record)
      if (placement instanceof Problem) return { kind: 'failed', problem: placement }
      const wanted = wantedAccount(scope, placement, usesKeys)
      // Written down before it is made, so that it is found however the making ends.
      await rows.put(scope, ROW, toJsonColumns({ resourceId: wanted.id }))
      const account = await ensureResource(arm, wanted)
      if (account.kind !== 'ready') return pending(account)
      for (const role of usesKeys ? [] : dataRoles) {
        const given = await ensureRole(arm, wanted.id, role)
        if (given.kind !== 'ready') return pending(given)
      }
      return { kind: 'ready', account: accountIn(account.resource) }
    },
    remove: async (scope) => {
      const id = await idOf(scope)
      if (id === undefined) return { kind: 'removed' }
      for (const role of usesKeys ? [] : dataRoles) {
        const taken = await removeRole(arm, id, role)
        if (taken !== true) return { kind: 'not-yet', ...taken }
      }
      const removed = await removeResource(arm, id, API_VERSION)
      if (removed !== true) return { kind: 'not-yet', ...removed }
      await rows.remove(scope, ROW)
      return { kind: 'removed' }
    },
    census: async (scope) => {
      const id = await idOf(scope)
      return id === undefined || (await arm.get(id, API_VERSION)).kind === 'gone' ? 0 : 1
    },
    keyOf: async (resourceId) => {
      const answer = await arm.post(`${resourceId}/listKeys`, API_VERSION)
      if (answer.kind !== 'ready') throw new Error(`no key of ${resourceId} can be had: ${answer.kind}`)
      const [key] = (answer.resource.properties['keys'] ?? []) as readonly { value?: unknown }[]
      if (typeof key?.value !== 'string') throw new Error(`${resourceId} has no key`)
      return key.value
    },
  }
}

function wantedAccount({ tenantId }: TenantScope, { resourceGroupId, region }: Placement, usesKeys: boolean) {
  const name = storageAccountNameOf(tenantId)
  return {
    id: `${resourceGroupId}/providers/Microsoft.Storage/storageAccounts/${name}`,
    apiVersion: API_VERSION,
    body: {
      kind: 'StorageV2',
      sku: { name: SKU },
      location: region,
      tags: { [tenantTag]: tenantId },
      properties: {
        allowSharedKeyAccess: usesKeys,
        allowBlobPublicAccess: false,
        minimumTlsVersion: 'TLS1_2',
        supportsHttpsTrafficOnly: true,
      },
    },
    isAsWanted: ({ tags }: ArmResource) => tags?.[tenantTag] === tenantId,
  }
}

function pending(ensured: Exclude<Ensured, { kind: 'ready' }>): StorageEnsured {
  if (ensured.kind === 'not-yet') return ensured
  return { kind: 'failed', problem: refusedByAzure('the storage account', ensured) }
}

function accountIn({ id, name, properties }: ArmResource): TenantAccount {
  const endpoints = (properties['primaryEndpoints'] ?? {}) as Readonly<Record<string, unknown>>
  const urlOf = (service: string) => {
    const url = endpoints[service]
    if (typeof url !== 'string') throw new Error(`${id} has no address for its ${service} service`)
    return url.replace(/\/+$/, '')
  }
  return { resourceId: id, name, blobUrl: urlOf('blob'), queueUrl: urlOf('queue'), tableUrl: urlOf('table') }
}
