import type { PlatformSecrets, SecretAges, SecretStore } from '../azure/secret-store'
import type { Clock } from '../base/clock'
import type { WrappingKey } from '../base/wrapping-key'
import type { PartitionTable } from '../storage/partition-table'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'

/** Above every secret's name, which is lower-case letters, digits and hyphens. */
const END = '~'

/** Tenants' secrets on one machine: wrapped with the key file's key, in a table. In the cloud they are in Key Vault. */
export function createWrappedSecrets(
  rows: TenantTable<Columns>,
  wrappingKey: WrappingKey,
  clock: Pick<Clock, 'now'>,
): SecretStore & SecretAges {
  const list = async (scope: TenantScope) => {
    const names: string[] = []
    for await (const { rowKey } of rows.range(scope, '', END)) names.push(rowKey)
    return names
  }
  return {
    put: async (scope, name, value) => {
      await rows.put(scope, name, { ...(await wrap(wrappingKey, value)), changedAt: clock.now() })
    },
    get: async (scope, name) => {
      const row = await rows.get(scope, name)
      return row && unwrap(wrappingKey, row.columns)
    },
    remove: (scope, name) => rows.remove(scope, name),
    list,
    remains: list,
    ages: async function* (scopes) {
      for await (const scope of scopes())
        for await (const { rowKey: name, columns } of rows.range(scope, '', END)) {
          const changedAt = columns['changedAt']
          yield { tenantId: scope.tenantId, name, changedAt: typeof changedAt === 'number' ? changedAt : undefined }
        }
    },
  }
}

/** The platform's own, in its partition of the same table. */
export const createWrappedPlatformSecrets = (
  rows: PartitionTable<Columns>,
  wrappingKey: WrappingKey,
): PlatformSecrets => ({
  put: async (name, value) => rows.put(name, await wrap(wrappingKey, value)),
  get: async (name) => {
    const row = await rows.get(name)
    return row && unwrap(wrappingKey, row.columns)
  },
})

async function wrap(wrappingKey: WrappingKey, value: string) {
  const { wrapped, by } = await wrappingKey.wrap(Buffer.from(value))
  return { wrapped: Buffer.from(wrapped).toString('base64'), by }
}

const unwrap = async (wrappingKey: WrappingKey, { wrapped, by }: Columns) =>
  Buffer.from(await wrappingKey.unwrap(Buffer.from(String(wrapped), 'base64'), String(by))).toString()

export const secretStorage = { tables: ['secrets'] } as const
