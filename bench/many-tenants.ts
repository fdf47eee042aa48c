import { createApiKeys } from '../src/access/api-key'
import { createKeyStore } from '../src/access/key-store'
import { systemChance } from '../src/base/chance'
import { systemClock } from '../src/base/clock'
import { createIdMaker } from '../src/base/ids'
import { readConfig } from '../src/config'
import { connectStorage } from '../src/storage/connect'
import { TenantScope } from '../src/storage/tenant-scope'
import { tenantTable } from '../src/storage/tenant-table'
import { compileSnapshot } from '../src/tenants/compile-snapshot'
import { newRecord } from '../src/tenants/edit-record'
import { createSnapshotStore } from '../src/tenants/snapshot-store'
import { tenantInput } from '../src/tenants/tenant-input'
import { digestOf } from '../src/access/api-key'
import { progress } from './machine'
import { benchTenant, type BenchStack } from './setup'

const WRITES_AT_ONCE = 16

/**
 * The keys of so many active tenants, written by the app's own stores past their onboarding: the data path needs a snapshot and a
 * key of each, and an onboarding takes a second.
 */
export async function makeTenants({ environment, backendId }: BenchStack, count: number): Promise<readonly string[]> {
  const { storage, storagePrefix, keyPepper } = readConfig({ ...environment })
  if (storage.kind !== 'connection-string') throw new Error('benchmarks run on storage of this machine')
  const account = connectStorage(storage, storagePrefix)
  const snapshots = createSnapshotStore(tenantTable(account.table('tenants')))
  const keys = createKeyStore(tenantTable(account.table('keys')))
  const chance = systemChance()
  const apiKeys = createApiKeys({ peppers: [keyPepper], chance })
  const ids = createIdMaker({ clock: systemClock, chance })
  const input = tenantInput.parse(benchTenant(backendId))

  const made: string[] = []
  let begun = 0
  const make = async () => {
    while (begun < count) {
      begun += 1
      const [tenantId, keyId] = [ids.tenantId(), ids.keyId()]
      const apiKey = apiKeys.make(tenantId, keyId)
      const scope = TenantScope.ofPlatform(tenantId)
      const record = { ...newRecord(tenantId, input, Date.now()), state: 'active' } as const
      const key = { tenantId, keyId, digest: digestOf(apiKey), name: 'bench', scopes: ['inference'] } as const
      await snapshots.write(scope, compileSnapshot(record))
      await keys.put(scope, { ...key, createdAt: record.createdAt, previous: [] })
      made.push(apiKey)
      if (made.length % 50 === 0 || made.length === count) progress('tenants', made.length, count)
    }
  }
  await Promise.all(Array.from({ length: WRITES_AT_ONCE }, make))
  return made
}
