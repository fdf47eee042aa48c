import { parseBackendId, type BackendId } from '../base/ids'
import type { StorageAccount } from '../storage/connect'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import { platformTable } from '../storage/platform-table'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantTable, type Columns } from '../storage/tenant-table'
import type { Finding } from './finding'
import { defaultPolicy, type NoisyPolicies, type NoisyPolicy, type TenantPolicy } from './noisy-policy'
import { decodePoolNormal, encodePoolNormal, type PoolNormal, type StoredPoolNormal } from './pool-normal'

/**
 * What is kept of noisy neighbours, numbers and ids only. A tenant's normals and policy are rows of its own partition; findings,
 * which name several tenants, are the platform's, under the culprit's id.
 */
export interface NeighbourStore {
  readonly policies: NoisyPolicies
  /** By pool. */
  normals(scope: TenantScope): Promise<Map<BackendId, PoolNormal>>
  putNormal(scope: TenantScope, poolId: BackendId, normal: PoolNormal): Promise<void>
  removeNormal(scope: TenantScope, poolId: BackendId): Promise<void>
  /** In the order of their keys. */
  findings(from?: {
    readonly after?: string | undefined
    readonly ofTenant?: TenantScope
  }): AsyncIterable<StoredFinding>
  /** In place of what was read; false where somebody was faster. */
  putFinding(finding: Finding, etag: string | undefined): Promise<string | undefined>
  removeFinding(finding: Finding, etag: string): Promise<void>
  /** Of a tenant that goes. */
  removeFindings(scope: TenantScope): Promise<void>
}

export interface StoredFinding {
  readonly key: string
  readonly finding: Finding
  readonly etag: string
}

export const neighbourTable = 'neighbours'
export const neighbourStorage = { tables: [neighbourTable] } as const

const NORMALS = 'normal_'
const POLICY = 'policy'
const LIFTED = 'lifted'
/** Above every character of an id. */
const END = '~'
/** The least string above a key. */
const JUST_AFTER = '!'

export function createNeighbourStore(storage: StorageAccount): NeighbourStore {
  const ofTenants = tenantTable<Columns>(storage.table(neighbourTable))
  const ofPlatform = platformTable<Columns>(storage.table(neighbourTable))

  const findings: NeighbourStore['findings'] = async function* ({ after, ofTenant } = {}) {
    const from = after === undefined ? (ofTenant ? `${ofTenant.tenantId}_` : '') : after + JUST_AFTER
    for await (const { rowKey, columns, etag } of ofPlatform.range(
      from,
      ofTenant ? `${ofTenant.tenantId}_${END}` : END,
    ))
      yield { key: rowKey, finding: fromJsonColumns<Finding>(columns), etag }
  }

  return {
    policies: {
      get: async (scope) => {
        const rows = [await ofTenants.get(scope, POLICY), await ofTenants.get(scope, LIFTED)]
        const [policy, lifted] = rows.map((row) => row?.columns)
        return policyOf(policy, lifted)
      },
      put: (scope, policy) => ofTenants.put(scope, POLICY, toJsonColumns(policy)),
      // As text, since the SDK stores a number beyond 32 bits as a double.
      lift: (scope, toMs) => ofTenants.put(scope, LIFTED, { toMs: String(toMs) }),
    },
    normals: async (scope) => {
      const normals = new Map<BackendId, PoolNormal>()
      for await (const { rowKey, columns } of ofTenants.range(scope, NORMALS, NORMALS + END)) {
        const poolId = parseBackendId(rowKey.slice(NORMALS.length))
        if (poolId) normals.set(poolId, decodePoolNormal(fromJsonColumns<StoredPoolNormal>(columns)))
      }
      return normals
    },
    putNormal: (scope, poolId, normal) =>
      ofTenants.put(scope, NORMALS + poolId, toJsonColumns(encodePoolNormal(normal))),
    removeNormal: (scope, poolId) => ofTenants.remove(scope, NORMALS + poolId),
    findings,
    putFinding: async (finding, etag) => {
      const columns = toJsonColumns(finding)
      const key = keyOf(finding)
      const result = await (etag === undefined
        ? ofPlatform.insert(key, columns)
        : ofPlatform.replace(key, columns, etag))
      return result.kind === 'written' ? result.etag : undefined
    },
    removeFinding: (finding, etag) => ofPlatform.remove(keyOf(finding), etag),
    removeFindings: async (scope) => {
      for await (const { key } of findings({ ofTenant: scope })) await ofPlatform.remove(key)
    },
  }
}

export const keyOf = ({ tenantId, poolId }: Pick<Finding, 'tenantId' | 'poolId'>): string => `${tenantId}_${poolId}`

const policyOf = (policy: Columns | undefined, lifted: Columns | undefined): TenantPolicy => ({
  policy: policy ? fromJsonColumns<NoisyPolicy>(policy) : defaultPolicy,
  isDefault: !policy,
  liftedToMs: Number(lifted?.['toMs'] ?? 0),
})
