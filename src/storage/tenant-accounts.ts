import type { Clock } from '../base/clock'
import { createStaleCache } from '../base/stale-cache'
import { describeError, type Log } from '../base/log'
import { connectStorage, type StorageAccount, type StorageConnection } from './connect'
import type { TenantAccount } from './tenant-data'

/** How long a new key of an account may stay unknown; an account has two, so that one works while the other is changed. */
const KEY_FRESH_MS = 300_000
const KEY_STALE_MS = 600_000
const ACCOUNTS_MAX = 2_000

/**
 * Tenants' own storage accounts, reached as the platform reaches its own: by its identity, or, where it has a connection
 * string, by a key of the account that `keyOf` gives.
 */
export function connectTenantAccounts({
  platform,
  prefix,
  keyOf,
  clock,
  log,
}: {
  platform: StorageConnection
  /** Of the installation's table and container names. */
  prefix: string
  /** A key of the account, base64. */
  keyOf: (resourceId: string) => Promise<string>
  clock: Clock
  log: Log
}): (account: TenantAccount) => StorageAccount | Promise<StorageAccount> {
  const connected = createStaleCache<TenantAccount, StorageAccount>({
    clock,
    idOf: ({ resourceId }) => resourceId,
    load: async ({ resourceId, name, blobUrl, queueUrl, tableUrl }) => {
      if (platform.kind === 'identity') return connectStorage({ ...platform, blobUrl, queueUrl, tableUrl }, prefix)
      const parts = {
        // The clients take a text that does not begin so for one with a shared access signature.
        DefaultEndpointsProtocol: new URL(blobUrl).protocol.slice(0, -1),
        AccountName: name,
        AccountKey: await keyOf(resourceId),
        BlobEndpoint: blobUrl,
        QueueEndpoint: queueUrl,
        TableEndpoint: tableUrl,
      }
      const connectionString = Object.entries(parts)
        .map(([key, value]) => `${key}=${value};`)
        .join('')
      return connectStorage({ kind: 'connection-string', connectionString }, prefix)
    },
    freshMs: KEY_FRESH_MS,
    staleMs: KEY_STALE_MS,
    entriesMax: ACCOUNTS_MAX,
    onError: (error) =>
      log.warn('a key of a tenant’s account could not be read again', { error: describeError(error) }),
  })
  return connected.get
}
