import type { BackendId, TenantId } from '../base/ids'
import type { Backend } from '../routing/backend'
import type { Stamp } from '../stamps/stamp'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { OwnDeployment } from '../tenants/own-models-input'
import type { TenantRecord } from '../tenants/tenant-record'
import type { Placement } from './placement'
import { accountNameOf, backendIdOf, deploymentNameOf } from './resource-names'

/**
 * What is made for a tenant, decided and written down before anything is: what is repeated makes the same, and what is
 * removed is found, also after a step that broke off.
 */
export interface ModelsPlan {
  /** The account that is made for the tenant alone; undefined where its deployments are in shared ones. */
  readonly dedicated: { readonly accountId: string; readonly region: string } | undefined
  readonly deployments: readonly PlannedDeployment[]
}

export interface PlannedDeployment extends OwnDeployment {
  readonly alias: string
  readonly model: string
  readonly accountId: string
  readonly name: string
  readonly backendId: BackendId
  /** Shared accounts that have no quota left for it. */
  readonly passed: readonly string[]
}

export const deploymentIdOf = ({ accountId, name }: Pick<PlannedDeployment, 'accountId' | 'name'>) =>
  `${accountId}/deployments/${name}`

/** Pure. Undefined where the stamp has no account that an own deployment could be made in. */
export function planModels(
  { tenantId, aliases, isolation }: Pick<TenantRecord, 'tenantId' | 'aliases' | 'isolation'>,
  { placement, stamp, backends }: { placement: Placement; stamp: Stamp | undefined; backends: readonly Backend[] },
): ModelsPlan | undefined {
  const dedicated =
    isolation.models === 'dedicated'
      ? { accountId: accountIdOf(placement, tenantId), region: placement.region }
      : undefined
  const accountId = dedicated?.accountId ?? chooseAccount(stamp?.modelAccountIds ?? [], backends)
  if (accountId === undefined) return undefined
  const deployments = aliases.flatMap(({ name: alias, model, deployment }) => {
    if (!deployment) return []
    const names = { name: deploymentNameOf(tenantId, alias), backendId: backendIdOf(tenantId, alias) }
    return [{ ...deployment, alias, model, accountId, ...names, passed: [] }]
  })
  return { dedicated, deployments }
}

/** The account in which the platform has made the fewest deployments; an account takes a bounded number of them. */
export function chooseAccount(accountIds: readonly string[], backends: readonly Backend[]): string | undefined {
  const made = backends.flatMap(({ resourceId }) => resourceId?.toLowerCase() ?? [])
  const countIn = (accountId: string) =>
    made.filter((resourceId) => resourceId.startsWith(`${accountId.toLowerCase()}/`)).length
  return accountIds.toSorted((a, b) => countIn(a) - countIn(b) || (a < b ? -1 : 1))[0]
}

const accountIdOf = ({ resourceGroupId }: Placement, tenantId: TenantId) =>
  `${resourceGroupId}/providers/Microsoft.CognitiveServices/accounts/${accountNameOf(tenantId)}`

/** The plans, each in its tenant's partition beside its record. */
export interface ModelsPlans {
  get(scope: TenantScope): Promise<{ readonly plan: ModelsPlan; readonly etag: string } | undefined>
  /** Leaves alone a plan that is there. */
  create(scope: TenantScope, plan: ModelsPlan): Promise<void>
  /** Nothing happens where somebody else changed it since `etag`. */
  replace(scope: TenantScope, plan: ModelsPlan, etag: string): Promise<void>
  remove(scope: TenantScope): Promise<void>
}

const ROW = 'models'

export function createModelsPlans(rows: TenantTable<Columns>): ModelsPlans {
  return {
    get: async (scope) => {
      const row = await rows.get(scope, ROW)
      return row && { plan: fromJsonColumns<ModelsPlan>(row.columns), etag: row.etag }
    },
    create: async (scope, plan) => {
      await rows.insert(scope, ROW, toJsonColumns(plan))
    },
    replace: async (scope, plan, etag) => {
      await rows.replace(scope, ROW, toJsonColumns(plan), etag)
    },
    remove: (scope) => rows.remove(scope, ROW),
  }
}
