import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBackendCredentials } from '../../src/azure/backend-credentials'
import { createSmallHttp } from '../../src/azure/small-http'
import { createUpstreamHttp } from '../../src/azure/upstream-http'
import { systemChance } from '../../src/base/chance'
import type { Clock } from '../../src/base/clock'
import { createIdMaker } from '../../src/base/ids'
import { createLog } from '../../src/base/log'
import { assembleDatasets } from '../../src/datasets/assemble-datasets'
import { createSealer } from '../../src/encryption/create-sealer'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createSealedRecords } from '../../src/encryption/sealed-records'
import { createTenantKeys, dataKeyStorage } from '../../src/encryption/tenant-keys'
import { assembleFiles, fileStorage } from '../../src/files/assemble-files'
import type { StorageAccount } from '../../src/storage/connect'
import { createPlaces, placeStorage } from '../../src/storage/places'
import { connectTenantAccounts } from '../../src/storage/tenant-accounts'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { freshStorage, tenantOwnStorage, testConnectionString } from '../harness/storage'

/** So that a test need not send 100 MB; everything else there is smaller. */
export const LARGE_BYTES_MIN = 3 * 1024 * 1024

/** The slice on real storage, without a host. */
export function filesParts(clock: Clock, storage = freshStorage()) {
  const chance = systemChance()
  const ids = createIdMaker({ clock, chance })
  const log = createLog(
    () => {},
    () => 0,
  )
  const wrappingKey = keyFileWrappingKey(join(mkdtempSync(join(tmpdir(), 'tenantry-test-')), 'key.json'))
  const upstream = createUpstreamHttp()
  const http = createSmallHttp()
  const credentials = createBackendCredentials({
    settings: { AZURE_OPENAI_API_KEY: 'simulator-key' },
    identity: { getToken: () => Promise.reject(new Error('there is no Azure here')) },
    secrets: { get: async () => undefined },
    clock,
  })
  const tenantAccount = connectTenantAccounts({
    platform: { kind: 'connection-string', connectionString: testConnectionString() },
    prefix: storage.prefix,
    keyOf: async () => tenantOwnStorage().key,
    clock,
    log,
  })
  /** One app instance, with caches of its own; on storage that a test may have its hands in. */
  const instance = (on: StorageAccount = storage) => {
    const keyring = createTenantKeys({ table: tenantTable(on.table('datakeys')), wrappingKey, clock, chance, log })
    const places = createPlaces({
      storage: on,
      tenantAccount,
      rows: tenantTable(on.table('tenantplaces')),
      clock,
      log,
    })
    const records = createSealedRecords({ data: places, sealer: createSealer({ keys: keyring, chance }) })
    const slice = assembleFiles({
      storage: on,
      records,
      places,
      upstream,
      http,
      credentials,
      importBytesMin: LARGE_BYTES_MIN,
      ids,
      clock,
      log,
    })
    const datasets = assembleDatasets({ records, files: slice.files, ids, clock })
    return { keyring, places, records, ...slice, ...datasets }
  }
  const first = instance()
  return {
    storage,
    ids,
    ...first,
    another: instance,
    prepare: () =>
      storage.ensure({
        tables: [...dataKeyStorage.tables, ...placeStorage.tables, ...fileStorage.tables],
        containers: placeStorage.containers,
      }),
    newTenant: async () => {
      const scope = TenantScope.ofPlatform(ids.tenantId())
      await first.keyring.create(scope)
      return scope
    },
    close: () => Promise.all([upstream.close(), http.close()]),
  }
}

export async function* pieces(...some: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const one of some) yield typeof one === 'string' ? Buffer.from(one) : one
}

export async function wholeOf(content: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content ?? []) chunks.push(chunk)
  return Buffer.concat(chunks)
}
