import { everyRow } from '../storage/tenants-rows'
import type { StorageAccount } from '../storage/connect'
import { tenantTable } from '../storage/tenant-table'
import { createHostingBeginnings, hostingQueueStorage, type HostingBeginningsDeps } from './begin-hosting'
import { hostingChecklist, type HostingDeps } from './hosting-checklist'
import { createHostingMeters, type HostingMetersDeps } from './hosting-meters'
import { hostingPrices, type HostingPricesAt } from './hosting-prices'
import { lookAfterModels, type LookAfterDeps } from './look-after-models'
import { createMeterRows, hostingTable } from './meter-rows'
import { createWakeCalls } from './wake-calls'

export const hostingNeeds = { tables: [hostingTable], queues: hostingQueueStorage.queues } as const

/** Before all else: whoever deploys a model tells them. */
export function assembleMeters({
  storage,
  lateUsage,
  hostingPricesAt = () => hostingPrices,
  clock,
}: Pick<HostingMetersDeps, 'lateUsage' | 'clock'> & {
  readonly storage: StorageAccount
  readonly hostingPricesAt?: HostingPricesAt
}) {
  const table = storage.table(hostingTable)
  const rows = createMeterRows(tenantTable(table), everyRow(table))
  return { rows, meters: createHostingMeters({ rows, lateUsage, pricesAt: hostingPricesAt, clock }) }
}

export type HostingParts = HostingBeginningsDeps & HostingDeps & Omit<LookAfterDeps, 'ask'>

/** The life of tuned models' deployments, put together. */
export function assembleHosting(parts: HostingParts) {
  const beginnings = createHostingBeginnings(parts)
  return {
    beginnings,
    checklist: hostingChecklist(parts),
    /** For the data path. */
    wake: createWakeCalls({ ask: beginnings.ask, clock: parts.clock, log: parts.log }),
    lookAfter: () => lookAfterModels({ ...parts, ask: beginnings.ask }),
  }
}
