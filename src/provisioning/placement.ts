import type { StampId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Backends } from '../routing/backends'
import { placeTenant } from '../stamps/place-tenant'
import type { Stamp } from '../stamps/stamp'
import type { Stamps } from '../stamps/stamps'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { TenantRecord } from '../tenants/tenant-record'

/** Where what is made for a tenant is made. Chosen once, so that a stamp that is changed later moves nobody. */
export interface Placement {
  readonly stampId: StampId
  readonly region: string
  readonly resourceGroupId: string
}

const ROW = 'placement'

export interface PlacementDeps {
  /** The tenant's own partition, which goes with its record. */
  readonly rows: TenantTable<Columns>
  readonly stamps: Pick<Stamps, 'list' | 'read'>
  readonly backends: Pick<Backends, 'list'>
}

async function readPlacement(rows: TenantTable<Columns>, scope: TenantScope): Promise<Placement | undefined> {
  const row = await rows.get(scope, ROW)
  return row && fromJsonColumns<Placement>(row.columns)
}

/** From now on what is made for the tenant is made there. */
export const setPlacement = (rows: TenantTable<Columns>, scope: TenantScope, placement: Placement) =>
  rows.put(scope, ROW, toJsonColumns(placement))

/** A stamp that somebody named. */
export async function placementOn({ stamps }: PlacementDeps, stampId: StampId): Promise<Placement | Problem> {
  const stored = await stamps.read(stampId)
  if (!stored) return new Problem('no_stamp', `There is no stamp ${stampId} (any more).`)
  return { stampId, region: stored.stamp.region, resourceGroupId: stored.stamp.resourceGroupId }
}

/** The tenant's place, chosen where it has none yet. Of two who choose at once, both get the first one's choice. */
export async function placementOf(
  { rows, stamps, backends }: PlacementDeps,
  scope: TenantScope,
  { region, residency }: Pick<TenantRecord, 'region' | 'residency'>,
): Promise<Placement | Problem> {
  const known = await readPlacement(rows, scope)
  if (known) return known
  if (residency.length > 0 && !residency.includes(region))
    return new Problem('no_stamp', `The tenant's region ${region} is not among those that may serve it.`)
  const tenantsOn = await countTenants(backends)
  const all = (await stamps.list()).map(({ stamp }) => stamp)
  const stamp = placeTenant(all, { region, tenantId: scope.tenantId, tenantsOn })
  if (!stamp) return new Problem('no_stamp', `No stamp in ${region} takes this tenant.`)
  const { id, resourceGroupId } = stamp
  const placement: Placement = { stampId: id, region: stamp.region, resourceGroupId }
  await rows.insert(scope, ROW, toJsonColumns(placement))
  return (await readPlacement(rows, scope)) ?? placement
}

/** By the backends that were made for tenants in the stamp's resource group and accounts. */
async function countTenants(backends: Pick<Backends, 'list'>): Promise<(stamp: Stamp) => number> {
  const made = (await backends.list()).flatMap(({ backend: { ownerTenantId, resourceId } }) =>
    ownerTenantId && resourceId ? [{ ownerTenantId, resourceId: resourceId.toLowerCase() }] : [],
  )
  return ({ resourceGroupId, modelAccountIds }) => {
    const places = [resourceGroupId, ...modelAccountIds].map((id) => `${id.toLowerCase()}/`)
    const on = made.filter(({ resourceId }) => places.some((place) => resourceId.startsWith(place)))
    return new Set(on.map(({ ownerTenantId }) => ownerTenantId)).size
  }
}
