import type { TenantId } from '../base/ids'
import { changeRow } from '../storage/change-row'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { Columns, PartitionTable } from '../storage/partition-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { TenantTable } from '../storage/tenant-table'
import { parseSharedModelId, type SharedModel, type SharedModelId } from './shared-model'

/** Records of shared models, and under each tenant which of them it is or may be led to, or has examples in. */
export interface SharedModels {
  get(id: SharedModelId): Promise<SharedModel | undefined>
  /** False where it is there already. */
  insert(model: SharedModel): Promise<boolean>
  /** Asks again with what is there whenever somebody was faster; the same value back changes nothing. Undefined for none. */
  change(id: SharedModelId, edit: (model: SharedModel) => SharedModel): Promise<SharedModel | undefined>
  /** Those behind `after`, the oldest first. */
  list(after?: SharedModelId): AsyncIterable<SharedModel>
  /** Before it is so: whoever objects finds every model that may be concerned. */
  note(scope: TenantScope, id: SharedModelId): Promise<void>
  /** Those that were noted for the tenant. */
  notedFor(scope: TenantScope): AsyncIterable<SharedModel>
}

/** Platform's rows are purposes and models; those of tenants say what they are concerned with. */
export const sharedModelStorage = { tables: ['sharedmodels', 'sharedparts'], queues: ['sharedmodels'] } as const

const PREFIX = 'model.'
const NOTED = 'noted.'

export function createSharedModels({
  rows,
  tenantRows,
}: {
  rows: PartitionTable<Columns>
  tenantRows: TenantTable<Columns>
}): SharedModels {
  const get = async (id: SharedModelId) => {
    const row = await rows.get(PREFIX + id)
    return row && fromJsonColumns<SharedModel>(row.columns)
  }
  async function* list(after?: SharedModelId) {
    const from = after === undefined ? PREFIX : `${PREFIX}${after}!`
    for await (const { columns } of rows.range(from, `${PREFIX}~`)) yield fromJsonColumns<SharedModel>(columns)
  }
  return {
    get,
    list,
    insert: async (model) => (await rows.insert(PREFIX + model.id, toJsonColumns(model))).kind === 'written',
    change: (id, edit) => changeRow<SharedModel>(rows, PREFIX + id, (before) => before && edit(before)),
    note: (scope, id) => tenantRows.put(scope, NOTED + id, {}),
    async *notedFor(scope) {
      for await (const { rowKey } of tenantRows.range(scope, NOTED, `${NOTED}~`)) {
        const id = parseSharedModelId(rowKey.slice(NOTED.length))
        const model = id && (await get(id))
        if (model) yield model
      }
    },
  }
}

/** The model with one contributor changed. */
export const withContributor = (
  model: SharedModel,
  tenantId: TenantId,
  edit: (contributor: SharedModel['contributors'][number]) => SharedModel['contributors'][number],
): SharedModel => ({
  ...model,
  contributors: model.contributors.map((each) => (each.tenantId === tenantId ? edit(each) : each)),
})
