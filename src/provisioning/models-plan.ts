import { parseOperationId, type BackendId } from '../base/ids'
import type { Backend } from '../routing/backend'
import type { Stamp } from '../stamps/stamp'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, Row, TenantTable } from '../storage/tenant-table'
import type { OwnDeployment } from '../tenants/own-models-input'
import type { TenantRecord } from '../tenants/tenant-record'
import type { Placement } from './placement'
import { accountNameOf, backendIdOf, deploymentNameOf, type Generation } from './resource-names'

/**
 * What is made for a tenant, decided and written down before anything is: what is repeated makes the same, and what is
 * removed is found, also after a step that broke off.
 */
export interface ModelsPlan {
  readonly placement: Placement
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
  {
    generation,
    placement,
    stamp,
    backends,
  }: { generation: Generation; placement: Placement; stamp: Stamp | undefined; backends: readonly Backend[] },
): ModelsPlan | undefined {
  const dedicated =
    isolation.models === 'dedicated'
      ? { accountId: accountIdOf(placement, accountNameOf(tenantId, generation)), region: placement.region }
      : undefined
  const accountId = dedicated?.accountId ?? chooseAccount(stamp?.modelAccountIds ?? [], backends)
  if (accountId === undefined) return undefined
  const deployments = aliases.flatMap(({ name: alias, model, deployment }) => {
    if (!deployment) return []
    const name = deploymentNameOf(tenantId, alias, generation)
    const backendId = backendIdOf(tenantId, alias, generation)
    return [{ ...deployment, alias, model, accountId, name, backendId, passed: [] }]
  })
  return { placement, dedicated, deployments }
}

/** The account in which the platform has made the fewest deployments; an account takes a bounded number of them. */
export function chooseAccount(accountIds: readonly string[], backends: readonly Backend[]): string | undefined {
  const made = backends.flatMap(({ resourceId }) => resourceId?.toLowerCase() ?? [])
  const countIn = (accountId: string) =>
    made.filter((resourceId) => resourceId.startsWith(`${accountId.toLowerCase()}/`)).length
  return accountIds.toSorted((a, b) => countIn(a) - countIn(b) || (a < b ? -1 : 1))[0]
}

const accountIdOf = ({ resourceGroupId }: Placement, name: string) =>
  `${resourceGroupId}/providers/Microsoft.CognitiveServices/accounts/${name}`

/** The plans, in their tenant's partition beside its record: one of the onboarding, and one of each move until it has ended. */
export interface ModelsPlans {
  get(scope: TenantScope, generation: Generation): Promise<StoredPlan | undefined>
  list(scope: TenantScope): Promise<StoredPlan[]>
  /** Leaves alone a plan that is there. */
  create(scope: TenantScope, generation: Generation, plan: ModelsPlan): Promise<void>
  /** Nothing happens where somebody else changed it since it was read. */
  replace(scope: TenantScope, stored: StoredPlan): Promise<void>
  remove(scope: TenantScope, generation: Generation): Promise<void>
}

export interface StoredPlan {
  readonly generation: Generation
  readonly plan: ModelsPlan
  readonly etag: string
}

const ROW = 'models'
const rowOf = (generation: Generation) => `${ROW}${generation && `~${generation}`}`
const generationOf = (rowKey: string): Generation => parseOperationId(rowKey.slice(ROW.length + 1)) ?? ''

export function createModelsPlans(rows: TenantTable<Columns>): ModelsPlans {
  const stored = ({ rowKey, columns, etag }: Row<Columns>): StoredPlan => ({
    generation: generationOf(rowKey),
    plan: fromJsonColumns<ModelsPlan>(columns),
    etag,
  })
  return {
    get: async (scope, generation) => {
      const row = await rows.get(scope, rowOf(generation))
      return row && stored(row)
    },
    list: async (scope) => {
      const found: StoredPlan[] = []
      for await (const row of rows.range(scope, ROW, `${ROW}~~`)) found.push(stored(row))
      return found
    },
    create: async (scope, generation, plan) => {
      await rows.insert(scope, rowOf(generation), toJsonColumns(plan))
    },
    replace: async (scope, { generation, plan, etag }) => {
      await rows.replace(scope, rowOf(generation), toJsonColumns(plan), etag)
    },
    remove: (scope, generation) => rows.remove(scope, rowOf(generation)),
  }
}
