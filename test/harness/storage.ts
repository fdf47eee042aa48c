import { randomBytes } from 'node:crypto'
import { connectStorage, type StorageAccount } from '../../src/storage/connect'
import type { TenantAccount } from '../../src/storage/tenant-data'

/** The connection string of the run's Azurite (real Azure Storage protocol, over sockets). */
export function testConnectionString(): string {
  const text = process.env['TEST_STORAGE']
  if (!text) throw new Error('TEST_STORAGE is not set: run through jest, whose global setup starts Azurite')
  return text
}

/**
 * A storage account in which nobody else's tables and containers can be met. Whoever asks for a table gets a client of its own, so that
 * a test can stand in the way of one instance's requests and not of another's.
 */
export function freshStorage(): StorageAccount & { prefix: string } {
  const prefix = `t${randomBytes(6).toString('hex')}`
  const connect = () => connectStorage({ kind: 'connection-string', connectionString: testConnectionString() }, prefix)
  return { ...connect(), table: (name) => connect().table(name), prefix }
}

/** A storage account of a tenant's own, and a key of it. */
export function tenantOwnStorage(): { account: TenantAccount; key: string } {
  const text = process.env['TEST_TENANT_STORAGE'] ?? ''
  const part = (name: string) => new RegExp(`${name}=([^;]+)`).exec(text)?.[1] ?? ''
  const name = part('AccountName')
  return {
    account: {
      resourceId: `/subscriptions/0/resourceGroups/tenants/providers/Microsoft.Storage/storageAccounts/${name}`,
      name,
      blobUrl: part('BlobEndpoint'),
      queueUrl: part('QueueEndpoint'),
      tableUrl: part('TableEndpoint'),
    },
    key: part('AccountKey'),
  }
}
