import type { Removal } from '../checklists/removal'
import type { StorageAccount } from '../storage/connect'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import { reconsider, type ObjectionDeps } from './objections'
import { backendOf, offeredTo } from './shared-model'

/** What shared models have of a tenant, for whoever deletes it. */
export interface TenantSharedModels {
  /**
   * As an objection to everything: models with its examples are marked and retrained without them, it is led to none any more, and
   * their lineage names it no longer. Its ledger lies among its sealed records.
   */
  remove(scope: TenantScope): Promise<Removal>
  census(scope: TenantScope): Promise<number>
}

export const createTenantSharedModels = (
  deps: ObjectionDeps & {
    readonly rows: TenantTable<Columns>
    readonly storage: Pick<StorageAccount, 'rowsInPartition'>
  },
): TenantSharedModels => ({
  remove: async (scope) => {
    await reconsider(deps, scope)
    for await (const { id } of deps.models.notedFor(scope)) await forget(deps, scope, id)
    await deps.rows.removeAll(scope)
    return { kind: 'removed' }
  },
  census: ({ tenantId }) => deps.storage.rowsInPartition('sharedparts', tenantId),
})

async function forget(
  { models, backends }: ObjectionDeps,
  { tenantId }: TenantScope,
  id: Parameters<ObjectionDeps['models']['change']>[0],
): Promise<void> {
  const model = await models.change(id, (before) => ({
    ...before,
    grants: before.grants.filter((granted) => granted !== tenantId),
    contributors: before.contributors.map(({ tenantId: of, ...contributor }) =>
      of === tenantId ? { ...contributor, fileIds: [] } : { ...contributor, ...(of ? { tenantId: of } : {}) },
    ),
  }))
  if (model?.state.kind === 'ready') await backends.shareWith(backendOf(id), offeredTo(model))
}
