import type { StorageAccount } from '../storage/connect'
import { platformTable } from '../storage/platform-table'
import { tenantTable } from '../storage/tenant-table'
import { createCapacity, type Capacity } from './capacity'
import { capacityTable, createCapacityStore, type CapacityStore } from './capacity-store'
import type { RunForecastsDeps } from './run-forecasts'

export type CapacityParts = Omit<RunForecastsDeps, 'store' | 'tenantRows'> & { readonly storage: StorageAccount }

export const assembleCapacity = ({ storage, ...parts }: CapacityParts): Capacity =>
  createCapacity({ ...parts, store: capacityStoreIn(storage), tenantRows: tenantTable(storage.table('tenants')) })

export const capacityStoreIn = (storage: StorageAccount): CapacityStore =>
  createCapacityStore({
    tenants: tenantTable(storage.table(capacityTable)),
    platform: platformTable(storage.table(capacityTable)),
  })
