import { createDirectories } from '../../src/access/directories'
import type { Clock } from '../../src/base/clock'
import { createLog } from '../../src/base/log'
import { createLanes } from '../../src/batches/lanes'
import { createTenantBatches } from '../../src/batches/tenant-batches'
import { createWrappedSecrets } from '../../src/encryption/wrapped-secrets'
import { createAccountFiles } from '../../src/files/account-files'
import { createCopies } from '../../src/files/copies'
import { createOffboardings } from '../../src/offboarding/offboardings'
import { createSweep } from '../../src/offboarding/sweep'
import { tenantStores } from '../../src/offboarding/tenant-stores'
import { assembleMeters } from '../../src/hosting/assemble-hosting'
import { createLateUsage } from '../../src/metering/late-usage'
import { createPriceBook } from '../../src/metering/price-book'
import { assembleResponses } from '../../src/responses/assemble-responses'
import { createBackends } from '../../src/routing/backends'
import type { StorageAccount } from '../../src/storage/connect'
import { platformTable } from '../../src/storage/platform-table'
import { tenantTable } from '../../src/storage/tenant-table'
import { createArm } from '../../src/azure/arm-client'
import { createBackendCredentials } from '../../src/azure/backend-credentials'
import { createSmallHttp } from '../../src/azure/small-http'
import { createUpstreamHttp } from '../../src/azure/upstream-http'
import { createDataPlaces } from '../../src/provisioning/data-places'
import { createTenantStorageAccounts } from '../../src/provisioning/storage-account'
import { createTenantModels } from '../../src/provisioning/tenant-models'
import { createStamps } from '../../src/stamps/stamps'
import { createAlerts } from '../../src/alerts/alerts'
import { assembleSharedModels } from '../../src/shared-models/assemble-shared-models'
import { createRegistry } from '../../src/registry/registry'
import { createAccountTuning } from '../../src/tuning/account-tuning'
import { createModelDeployments } from '../../src/tuning/model-deployments'
import { createTenantTuning } from '../../src/tuning/tenant-tuning'
import { createTurnRows } from '../../src/tuning/turn-rows'
import { createTuningEvents } from '../../src/tuning/tuning-events'
import { createTuningStore } from '../../src/tuning/tuning-store'
import { largeParts } from '../files/large-parts'
import { tenantParts } from '../harness/tenant-parts'

/** What offboarding is made of, on real storage, without a host. */
export function lifecycleParts(storage: StorageAccount, clock: Clock) {
  const log = createLog(
    () => {},
    () => 0,
  )
  const rows = tenantTable(storage.table('tenants'))
  const parts = tenantParts({ storage, clock, log, knownBackends: async () => new Set() })
  const { chance, ids, wrappingKey, places, keyring, records, tenants } = parts
  const directories = createDirectories({
    index: platformTable(storage.table('directories')),
    rows: tenantTable(storage.table('directories')),
  })
  const backends = createBackends({ table: platformTable(storage.table('backends')), clock, log })
  const secrets = createWrappedSecrets(tenantTable(storage.table('secrets')), wrappingKey, clock)
  const stamps = createStamps(platformTable(storage.table('stamps')))
  // Nothing of these tenants is made in Azure: whatever asked it would fail.
  const identity = { getToken: () => Promise.reject(new Error('there is no Azure here')) }
  const http = createSmallHttp()
  const arm = createArm({ url: 'http://127.0.0.1:1', audience: 'http://127.0.0.1:1', identity, http })
  const credentials = createBackendCredentials({ settings: {}, identity, secrets, clock })
  const placement = { arm, rows, stamps, backends }
  const models = createTenantModels({ ...placement, secrets, identity, upstream: createUpstreamHttp(), credentials })
  // None of these tenants has copies of files anywhere.
  const fileRows = tenantTable(storage.table('files'))
  const reach = { upstream: createUpstreamHttp(), http, credentials }
  const accountFiles = createAccountFiles(reach)
  const fileCopies = createCopies({
    rows: fileRows,
    accounts: accountFiles,
    ...largeParts({ rows: fileRows, places, accounts: accountFiles, ...reach, clock }),
    ids,
  })
  const dataPlaces = createDataPlaces(places, createTenantStorageAccounts({ ...placement, usesKeys: true }))
  const lanes = createLanes({
    rows: platformTable(storage.table('batchlanes')),
    bounds: { batchesMax: 1, perTenantMax: 1 },
    now: clock.now,
  })
  const batches = createTenantBatches({
    rows: tenantTable(storage.table('batches')),
    rowsOf: ({ tenantId }) => storage.rowsInPartition('batches', tenantId),
    lanes,
  })
  const responses = assembleResponses({
    storage,
    upstream: createUpstreamHttp(),
    credentials,
    backends: backends.all,
    lateUsage: createLateUsage({ storage, clock }),
    costOf: createPriceBook().costOf,
    ids,
    clock,
    log,
  })
  const registry = createRegistry(records)
  const turns = createTurnRows({
    rows: platformTable(storage.table('tuningturns')),
    bounds: { jobsMax: 1, perTenantMax: 1 },
    now: clock.now,
  })
  // None of these tenants has models at any account.
  const tuning = createTenantTuning({
    registry,
    store: createTuningStore(records),
    events: createTuningEvents(records),
    turns,
    deployments: createModelDeployments({
      meters: assembleMeters({ storage, lateUsage: createLateUsage({ storage, clock }), clock }).meters,
      registry,
      arm,
      backends,
      tenants,
      upstream: createUpstreamHttp(),
      credentials,
      clock,
    }),
    accounts: createAccountTuning({ http, credentials }),
  })
  // None of these tenants has a part in a shared model.
  const sharedModels = assembleSharedModels({
    storage,
    records,
    keyring,
    tenants,
    backends,
    alerts: createAlerts({ rows: platformTable(storage.table('alerts')), clock }),
    audit: { append: () => Promise.reject(new Error('nothing happens here')) },
    files: {
      get: async () => undefined,
      read: async () => undefined,
      create: () => Promise.reject(new Error('there are no files here')),
      remove: async () => false,
    },
    tuningJobs: {
      create: () => Promise.reject(new Error('nothing trains here')),
      get: async () => undefined,
      cancel: async () => undefined,
    },
    emptyOwner: async () => ({ kind: 'removed' }),
    bounds: { retrain: 'start', pollMs: 1_000, drainMs: 0, affectedMsMax: 1 },
    ids,
    clock,
    log,
  }).ofTenant
  return {
    turns,
    lanes,
    responses,
    chance,
    log,
    keyring,
    tenants,
    ids,
    wrappingKey,
    places,
    records,
    directories,
    backends,
    offboardings: createOffboardings(platformTable(storage.table('offboardings'))),
    secrets,
    stores: tenantStores({
      storage,
      places,
      dataPlaces,
      directories,
      models,
      secrets,
      keyring,
      fileCopies,
      batches,
      responses: responses.ofTenant,
      tuning,
      sharedModels,
      tenants,
    }),
    sweep: createSweep(storage),
  }
}
