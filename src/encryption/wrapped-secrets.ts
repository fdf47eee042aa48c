import type { SecretAges, SecretStore } from '../azure/secret-store'
import type { Clock } from '../base/clock'
import type { WrappingKey } from '../base/wrapping-key'
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
      const { wrapped, by } = await wrappingKey.wrap(Buffer.from(value))
      await rows.put(scope, name, { wrapped: Buffer.from(wrapped).toString('base64'), by, changedAt: clock.now() })
    },
    get: async (scope, name) => {
      const row = await rows.get(scope, name)
      if (!row) return undefined
      const { wrapped, by } = row.columns
      return Buffer.from(await wrappingKey.unwrap(Buffer.from(String(wrapped), 'base64'), String(by))).toString()
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

export const secretStorage = { tables: ['secrets'] } as const
