import type { StorageAccount } from '../storage/connect'
import type { TenantScope } from '../storage/tenant-scope'
import { validationLimitsId } from '../tenants/canary'
import type { RetainedData } from './tenant-store'

/** Looks through the whole account, not through what the platform believes it has. */
export type Sweep = (scope: TenantScope, retained: readonly RetainedData[]) => Promise<SweepResult>

export interface SweepResult {
  /** Tables and containers that were looked through: every one but the retained. */
  readonly looked: readonly string[]
  /** Where something of the tenant was found, and how much. */
  readonly left: readonly string[]
}

/** Also through an account in another region, whose places are named as such. */
export const sweepAlso =
  (sweep: Sweep, elsewhere: Sweep | undefined): Sweep =>
  async (scope, retained) => {
    const here = await sweep(scope, retained)
    // Nothing is retained there: what stays of a tenant stays in the first region.
    const there = await elsewhere?.(scope, [])
    if (!there) return here
    const inRegion = (place: string) => `paired region: ${place}`
    return {
      looked: [...here.looked, ...there.looked.map(inRegion)],
      left: [...here.left, ...there.left.map(inRegion)],
    }
  }

/** The certificate is for the tenant that goes: it names no other one, by whose id their own tables and containers are told apart. */
const OWN_PLACE = /-?[0-9a-hjkmnp-tv-z]{26}$/

/** Tenants with tables of their own make many of them. */
const LOOKS_AT_ONCE = 8

/**
 * Every table by the tenant's partition, that of its validation and the platform's rows under its id, every container by the
 * tenant's prefix (I2), and names of either that carry its id.
 */
export const createSweep =
  (storage: StorageAccount): Sweep =>
  async ({ tenantId }, retained) => {
    const tablesKept = new Set(retained.flatMap(({ holds }) => holds.tables ?? []))
    const containersKept = new Set(retained.flatMap(({ holds }) => holds.containers ?? []))
    const rowsOf = async (name: string) =>
      (await storage.rowsInPartition(name, tenantId)) +
      (await storage.rowsInPartition(name, validationLimitsId(tenantId))) +
      (await storage.platformRowsUnder(name, tenantId))
    const places = [
      ...(await storage.tableNames())
        .filter((name) => !tablesKept.has(name))
        .map((name) => ({ place: `table ${name}`, name, unit: 'rows', count: () => rowsOf(name) })),
      ...(await storage.containerNames())
        .filter((name) => !containersKept.has(name))
        .map((name) => ({
          place: `container ${name}`,
          name,
          unit: 'blobs',
          count: () => storage.blobsUnder(name, `${tenantId}/`),
        })),
    ]
    const suffix = tenantId.slice('ten_'.length)
    const left: string[] = []
    for (let start = 0; start < places.length; start += LOOKS_AT_ONCE) {
      const some = places.slice(start, start + LOOKS_AT_ONCE)
      const counts = await Promise.all(some.map(({ count }) => count()))
      for (const [index, { place, name, unit }] of some.entries()) {
        const count = counts[index] ?? 0
        // Its own table or container must be gone, empty or not.
        if (count > 0 || name.includes(suffix)) left.push(`${place} (${count} ${unit})`)
      }
    }
    return { looked: [...new Set(places.map(({ place }) => place.replace(OWN_PLACE, ' of each tenant’s own')))], left }
  }
