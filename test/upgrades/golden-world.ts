import { join } from 'node:path'
import { systemChance } from '../../src/base/chance'
import type { TenantId } from '../../src/base/ids'
import { createSealer } from '../../src/encryption/create-sealer'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createSealedRecords } from '../../src/encryption/sealed-records'
import { createTenantKeys } from '../../src/encryption/tenant-keys'
import type { StorageAccount } from '../../src/storage/connect'
import type { Columns } from '../../src/storage/partition-table'
import { createPlaces } from '../../src/storage/places'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { handClock } from '../harness/hand-clock'
import { silentLog } from '../metering/read-all'

/** Whose the golden rows are. */
export const tenantId: TenantId = 'ten_01kdvdna008z71thvsevzwqvay'
export const scope = TenantScope.ofPlatform(tenantId)
/** When they were written. */
export const writtenAt = Date.UTC(2026, 0, 1)
export const DAY_MS = 86_400_000
/** Of a model account. */
export const accountId = '/subscriptions/s/resourcegroups/r/providers/microsoft.cognitiveservices/accounts/models-1'
export const address = 'https://models-1.openai.azure.com'

/** What stores are made of, over the given storage and at the time of the golden rows, with the key under which they are sealed. */
export function goldenWorld(storage: StorageAccount) {
  const clock = handClock(writtenAt)
  const chance = systemChance()
  const log = silentLog
  /** A key of these fixtures, which opens nothing else. */
  const wrappingKey = keyFileWrappingKey(join(__dirname, 'fixtures', 'wrapping-key.json'))
  const rows = (table: string) => tenantTable<Columns>(storage.table(table))
  const own = (table: string) => platformTable<Columns>(storage.table(table))
  const keyring = createTenantKeys({ table: tenantTable(storage.table('datakeys')), wrappingKey, clock, chance, log })
  const places = createPlaces({ storage, rows: rows('tenantplaces'), clock, log })
  const records = createSealedRecords({ data: places, sealer: createSealer({ keys: keyring, chance }) })
  return { storage, clock, chance, log, wrappingKey, rows, own, keyring, places, records }
}

export type GoldenWorld = ReturnType<typeof goldenWorld>

/**
 * Rows of some tables by the store that has them: `write` puts there what the store makes of a plain example, and `read` says what the store
 * finds. What is read is compared with what was read when it was written, as JSON.
 */
export interface GoldenStore {
  readonly tables: readonly string[]
  readonly write: (world: GoldenWorld) => Promise<unknown>
  readonly read: (world: GoldenWorld) => Promise<unknown>
}
