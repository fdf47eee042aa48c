import type { StorageAccount } from '../storage/connect'
import type { TenantScope } from '../storage/tenant-scope'

/** Looks through the whole account, not through what the platform believes it has. */
export type Sweep = (scope: TenantScope) => Promise<SweepResult>

export interface SweepResult {
  /** Tables and containers that were looked through. */
  readonly looked: readonly string[]
  /** Where something of the tenant was found, and how much. */
  readonly left: readonly string[]
}

/** Stands in the certificate as retained, with the reason. */
const retainedTables = /^(usageminutes|offboardings)$/
const retainedContainers = /^(usage-log|exports)$/

/** Every table by the tenant's partition, every container by the tenant's prefix, and names of either that carry its id. */
export const createSweep =
  (storage: StorageAccount): Sweep =>
  async (scope) => {
    const { tenantId } = scope
    const suffix = tenantId.slice('ten_'.length)
    const looked: string[] = []
    const left: string[] = []
    for (const name of await storage.tableNames()) {
      if (retainedTables.test(name)) continue
      looked.push(`table ${name}`)
      if (name.includes(suffix)) left.push(`table ${name}`)
      const rows = await storage.rowsInPartition(name, tenantId)
      if (rows > 0) left.push(`${rows} rows of table ${name}`)
    }
    for (const name of await storage.containerNames()) {
      if (retainedContainers.test(name)) continue
      looked.push(`container ${name}`)
      if (name.includes(suffix)) left.push(`container ${name}`)
      const blobs = await storage.blobsUnder(name, `${tenantId}/`)
      if (blobs > 0) left.push(`${blobs} blobs of container ${name}`)
    }
    return { looked, left }
  }
