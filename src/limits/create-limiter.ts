import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { InstanceId } from '../base/ids'
import type { Log } from '../base/log'
import type { StorageAccount } from '../storage/connect'
import { TenantScope } from '../storage/tenant-scope'
import { tenantTable } from '../storage/tenant-table'
import { Gates } from './gates'
import type { Limiter } from './limiter'
import { TenantGate } from './tenant-gate'
import type { LeaseDeps } from './tenant-lease'
import { minuteWindow } from './window-state'
import { tableWindowStore, type WindowColumns, type WindowStore } from './window-store'

/** How often leases are looked through for those to renew. */
const TICK_MS = 250

const TABLE = 'limits'

/** What the composition root makes sure of before the first call. */
export const limitStorage = { tables: [TABLE] } as const

/**
 * The limiter over the table `limits`. `instanceId` must be new for every start of the process: leases in the table
 * are held under it.
 */
export function createLimiter({
  storage,
  ...deps
}: {
  storage: StorageAccount
  clock: Clock
  chance: Chance
  instanceId: InstanceId
  log: Log
}): Limiter {
  return limiterOver({ ...deps, windows: windowsIn(storage), shape: minuteWindow })
}

export const windowsIn = (storage: StorageAccount): WindowStore =>
  tableWindowStore(tenantTable<WindowColumns>(storage.table(TABLE)))

/** The same over any store and shape of window. */
export function limiterOver(deps: LeaseDeps): Limiter {
  const gates = new Gates<TenantGate>(deps, { what: "tenants' limits", tickMs: TICK_MS })
  return {
    admit: async (request) => {
      const { tenantId } = request
      return gates.of(tenantId, () => new TenantGate(deps, TenantScope.ofCaller({ tenantId }))).admit(request)
    },
    close: () => gates.close(),
  }
}
