import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemChance } from '../../src/base/chance'
import type { Clock } from '../../src/base/clock'
import { createIdMaker } from '../../src/base/ids'
import type { Log } from '../../src/base/log'
import { createSealer } from '../../src/encryption/create-sealer'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createSealedRecords } from '../../src/encryption/sealed-records'
import { createTenantKeys } from '../../src/encryption/tenant-keys'
import type { StorageAccount } from '../../src/storage/connect'
import { createPlaces } from '../../src/storage/places'
import { platformTable } from '../../src/storage/platform-table'
import { tenantTable } from '../../src/storage/tenant-table'
import { createSnapshotStore } from '../../src/tenants/snapshot-store'
import { createTenantDirectory } from '../../src/tenants/tenant-directory'
import { createTenants, type TenantsDeps } from '../../src/tenants/tenants'

/** Tenants, their keys and their sealed records, on real storage: what every slice of theirs stands on. */
export function tenantParts({
  storage,
  clock,
  log,
  knownBackends,
}: {
  storage: StorageAccount
  clock: Clock
  log: Log
  knownBackends: TenantsDeps['knownBackends']
}) {
  const chance = systemChance()
  const wrappingKey = keyFileWrappingKey(join(mkdtempSync(join(tmpdir(), 'tenantry-test-')), 'key.json'))
  const keyring = createTenantKeys({ table: tenantTable(storage.table('datakeys')), wrappingKey, clock, chance, log })
  const places = createPlaces({ storage, rows: tenantTable(storage.table('tenantplaces')), clock, log })
  const rows = tenantTable(storage.table('tenants'))
  const snapshots = createSnapshotStore(rows)
  return {
    chance,
    ids: createIdMaker({ clock, chance }),
    wrappingKey,
    keyring,
    places,
    records: createSealedRecords({ data: places, sealer: createSealer({ keys: keyring, chance }) }),
    snapshots,
    tenants: createTenants({
      table: rows,
      directory: createTenantDirectory(platformTable(storage.table('tenantdirectory'))),
      snapshots,
      clock,
      knownBackends,
      onChange: () => {},
    }),
  }
}
