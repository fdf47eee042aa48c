import { parseModelId, parseTenantId, type ModelId, type TenantId } from '../base/ids'
import { changeRow } from '../storage/change-row'
import { fromJsonColumns } from '../storage/json-columns'
import type { EveryRow } from '../storage/tenants-rows'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { HostingMeter } from './hosting-meter'

/** A row for each model that was ever deployed, in its tenant's partition. */
export interface MeterRows {
  get(scope: TenantScope, id: ModelId): Promise<HostingMeter | undefined>
  /** Asks again with what is there whenever somebody was faster; the same value back writes nothing. Undefined for no row. */
  change(
    scope: TenantScope,
    id: ModelId,
    edit: (meter: HostingMeter | undefined) => HostingMeter | undefined,
  ): Promise<HostingMeter | undefined>
  remove(scope: TenantScope, id: ModelId): Promise<void>
  /** Of all tenants, for whoever looks after them (I4); read page by page as they are consumed. */
  every(): AsyncIterable<{ readonly tenantId: TenantId; readonly meter: HostingMeter }>
}

export const hostingTable = 'hosting'

export function createMeterRows(rows: TenantTable<Columns>, everyRow: EveryRow): MeterRows {
  return {
    get: async (scope, id) => {
      const row = await rows.get(scope, id)
      return row && fromJsonColumns<HostingMeter>(row.columns)
    },
    change: (scope, id, edit) => changeRow<HostingMeter>(rows.partition(scope), id, edit),
    remove: (scope, id) => rows.remove(scope, id),
    async *every() {
      for await (const { tenantId: owner, rowKey, columns } of everyRow()) {
        const tenantId = parseTenantId(owner)
        if (tenantId && parseModelId(rowKey)) yield { tenantId, meter: fromJsonColumns<HostingMeter>(columns) }
      }
    },
  }
}
