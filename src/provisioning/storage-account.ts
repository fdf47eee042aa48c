import type { Arm, ArmResource } from '../azure/arm'
import type { StampId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Removal } from '../checklists/removal'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { TenantAccount } from '../storage/tenant-data'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantRecord } from '../tenants/tenant-record'
import { ensureResource, refusedByAzure, removeResource, type Ensured } from './ensure-resource'
import { placementOf, placementOn, type Placement, type PlacementDeps } from './placement'
import { storageAccountNameOf, tenantTag, type Generation } from './resource-names'
import { ensureRole, removeRole, roles } from './role-assignments'

/** A storage account of a tenant's own (product 2.2), in the resource group of its stamp. */
export interface TenantStorageAccounts {
  /** One step towards it; `ready` when it is there and the platform's roles on it are given. */
  ensure(scope: TenantScope, wanted: WantedAccount): Promise<StorageEnsured>
  /** One step towards these of the tenant's accounts being gone, each with all that is in it. */
  remove(scope: TenantScope, which: (made: MadeAccount) => boolean): Promise<Removal>
  /** How many there are, in whatever state: one, and two while the tenant moves from one to another. */
  census(scope: TenantScope): Promise<number>
  /** A key of the account, base64; for a platform that works by keys itself. */
  keyOf(resourceId: string): Promise<string>
}

export interface WantedAccount {
  readonly record: Pick<TenantRecord, 'region' | 'residency'>
  readonly generation: Generation
  /** Where, for a move that says so; otherwise where the tenant's things are, or a stamp of its region. */
  readonly stampId?: StampId | undefined
}

export interface MadeAccount {
  readonly generation: Generation
  readonly resourceId: string
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
const rowOf = (generation: Generation) => `${ROW}${generation && `~${generation}`}`

export function createTenantStorageAccounts(deps: StorageAccountDeps): TenantStorageAccounts {
  const { arm, rows, usesKeys } = deps
  const made = async (scope: TenantScope) => {
    const found: MadeAccount[] = []
    for await (const { columns } of rows.range(scope, ROW, `${ROW}~~`))
      found.push(fromJsonColumns<MadeAccount>(columns))
    return found
  }
  const remove = async (resourceId: string) => {
    for (const role of usesKeys ? [] : dataRoles) {
      const taken = await removeRole(arm, resourceId, role)
      if (taken !== true) return taken
    }
    return removeResource(arm, resourceId, API_VERSION)
  }
  return {
    ensure: async (scope, { record, generation, stampId }) => {
      const placement = await (stampId ? placementOn(deps, stampId) : placementOf(deps, scope, record))
      if (placement instanceof Problem) return { kind: 'failed', problem: placement }
      const wanted = wantedAccount(storageAccountNameOf(scope.tenantId, generation), scope, { placement, usesKeys })
      // Written down before it is made, so that it is found however the making ends.
      await rows.put(
        scope,
        rowOf(generation),
        toJsonColumns({ generation, resourceId: wanted.id } satisfies MadeAccount),
      )
      const account = await ensureResource(arm, wanted)
      if (account.kind !== 'ready') return pending(account)
      for (const role of usesKeys ? [] : dataRoles) {
        const given = await ensureRole(arm, wanted.id, role)
        if (given.kind !== 'ready') return pending(given)
      }
      return { kind: 'ready', account: accountIn(account.resource) }
    },
    remove: async (scope, which) => {
      for (const { generation, resourceId } of (await made(scope)).filter(which)) {
        const removed = await remove(resourceId)
        if (removed !== true) return { kind: 'not-yet', ...removed }
        await rows.remove(scope, rowOf(generation))
      }
      return { kind: 'removed' }
    },
    census: async (scope) => {
      const found = await Promise.all((await made(scope)).map(({ resourceId }) => arm.get(resourceId, API_VERSION)))
      return found.filter(({ kind }) => kind !== 'gone').length
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

function wantedAccount(
  name: string,
  { tenantId }: TenantScope,
  { placement: { resourceGroupId, region }, usesKeys }: { placement: Placement; usesKeys: boolean },
) {
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
