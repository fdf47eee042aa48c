import { createAlerts } from '../../src/alerts/alerts'
import { createSmallHttp } from '../../src/azure/small-http'
import { systemChance } from '../../src/base/chance'
import type { Clock } from '../../src/base/clock'
import { createSealer } from '../../src/encryption/create-sealer'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createSealedRecords } from '../../src/encryption/sealed-records'
import { createTenantKeys } from '../../src/encryption/tenant-keys'
import { assembleNotifications } from '../../src/notifications/assemble-notifications'
import type { StorageAccount } from '../../src/storage/connect'
import { createPlaces } from '../../src/storage/places'
import { platformTable } from '../../src/storage/platform-table'
import { tenantTable } from '../../src/storage/tenant-table'

const log = { info: () => {}, warn: () => {}, error: () => {} }

/** Notifications as one process of several has them, with the key file that they share. */
export function outboxAt({ storage, keyFile, clock }: { storage: StorageAccount; keyFile: string; clock: Clock }) {
  const chance = systemChance()
  const keys = { table: tenantTable(storage.table('datakeys')), wrappingKey: keyFileWrappingKey(keyFile) }
  const keyring = createTenantKeys({ ...keys, clock, chance, log })
  const places = createPlaces({ storage, rows: tenantTable(storage.table('tenantplaces')), clock, log })
  return assembleNotifications({
    storage,
    records: createSealedRecords({ data: places, sealer: createSealer({ keys: keyring, chance }) }),
    keyring,
    alerts: createAlerts({ rows: platformTable(storage.table('alerts')), clock }),
    identity: { getToken: async () => null },
    smallHttp: createSmallHttp(),
    tenantOf: () => undefined,
    settings: { mail: undefined, eventGridTopicUrl: undefined, webhookHostsOpen: ['127.0.0.1'] },
    publicUrl: 'https://platform.example',
    clock,
    chance,
    log,
  })
}
