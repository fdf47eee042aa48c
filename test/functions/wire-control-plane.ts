import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auditStorage } from '../../src/audit/chain-rows'
import { createAuditLog } from '../../src/audit/create-audit-log'
import { alertStorage, createAlerts } from '../../src/alerts/alerts'
import { assembleBilling } from '../../src/billing/assemble-billing'
import { billingStorage } from '../../src/billing/billing-rows'
import { budgetsIn, budgetStorage } from '../../src/budgets/create-budget-keeper'
import { createShowLimits } from '../../src/budgets/limits-report'
import type { SpentByLog } from '../../src/budgets/true-up'
import { limitStorage, windowsIn } from '../../src/limits/create-limiter'
import { createCredentialLinks } from '../../src/onboarding/credential-links'
import { createRegistrationGate } from '../../src/onboarding/registration-gate'
import { createRegistrationSettings, registrationStorage } from '../../src/onboarding/registration-settings'
import { createRegistrationTokens } from '../../src/onboarding/registration-tokens'
import { createCertificateSigner, signingStorage } from '../../src/offboarding/certificate'
import { createExporter } from '../../src/offboarding/exporter'
import { createOffboardings, offboardingStorage } from '../../src/offboarding/offboardings'
import { assembleSla } from '../../src/sla/assemble-sla'
import { slaStorage } from '../../src/sla/sla-store'
import { createSealer } from '../../src/encryption/create-sealer'
import { keyFileWrappingKey } from '../../src/encryption/key-file'
import { createSealedRecords } from '../../src/encryption/sealed-records'
import { createTenantKeys, dataKeyStorage } from '../../src/encryption/tenant-keys'
import { createPlaces, placeStorage } from '../../src/storage/places'
import { createApiKeys } from '../../src/access/api-key'
import { createAuthenticator } from '../../src/access/authenticator'
import { createKeyStore, keyStorage } from '../../src/access/key-store'
import { createKeys } from '../../src/access/keys'
import { createDirectories, directoryStorage } from '../../src/access/directories'
import { createEntraCallers } from '../../src/access/entra-callers'
import { createEntraTokens, type EntraSettings } from '../../src/access/entra-tokens'
import { createMembers, memberStorage, type Members } from '../../src/access/members'
import { createFailedAttempts } from '../../src/access/failed-attempts'
import { createOperators } from '../../src/access/operators'
import type { Chance } from '../../src/base/chance'
import type { Clock } from '../../src/base/clock'
import type { IdMaker } from '../../src/base/ids'
import type { Log } from '../../src/base/log'
import { Problem } from '../../src/base/problem'
import { assembleCapacity } from '../../src/capacity/assemble-capacity'
import { capacityStorage } from '../../src/capacity/capacity-store'
import { assembleDatasets } from '../../src/datasets/assemble-datasets'
import { assembleFiles, fileStorage } from '../../src/files/assemble-files'
import { createEvaluationStore } from '../../src/evaluation/evaluation-store'
import { createDriftStore } from '../../src/drift/drift-store'
import { createModelDrift } from '../../src/drift/model-drift'
import { createEvaluations } from '../../src/evaluation/evaluations'
import { createPromotions } from '../../src/registry/promotions'
import { createRegistry } from '../../src/registry/registry'
import { assembleRecovery } from '../../src/recovery/assemble-recovery'
import { recoveryStorage } from '../../src/recovery/replica-state'
import { assembleSharedModels } from '../../src/shared-models/assemble-shared-models'
import { createNeighbourStore, neighbourStorage } from '../../src/neighbours/neighbour-store'
import { createNoisyNeighbours } from '../../src/neighbours/noisy-neighbours'
import { assembleNotifications } from '../../src/notifications/assemble-notifications'
import { outboxStorage } from '../../src/notifications/outbox-rows'
import type { ArmOutcome } from '../../src/azure/arm'
import { createKeyRotations } from '../../src/key-rotation/key-rotations'
import { createRotatedAccounts, keyRotationStorage } from '../../src/key-rotation/rotated-accounts'
import { sharedModelStorage } from '../../src/shared-models/shared-models'
import { backendStorage, createBackends } from '../../src/routing/backends'
import { createBackendHealth } from '../../src/routing/health'
import { createWrappedSecrets, secretStorage } from '../../src/encryption/wrapped-secrets'
import { createStamps, stampStorage } from '../../src/stamps/stamps'
import type { StorageAccount } from '../../src/storage/connect'
import { platformTable } from '../../src/storage/platform-table'
import { tenantTable } from '../../src/storage/tenant-table'
import { createSnapshotStore } from '../../src/tenants/snapshot-store'
import { createTenantDirectory, everyTenant } from '../../src/tenants/tenant-directory'
import { createTenantSnapshots } from '../../src/tenants/tenant-snapshots'
import { createTenants, tenantStorage } from '../../src/tenants/tenants'
import { assembleHealth } from '../../src/health/assemble-health'
import type { ControlPlane } from '../../src/http/control-plane'
import { createAuditRequest } from '../../src/http/audit-request'
import { createHandle } from '../../src/http/handle'
import { createRemoveOldAlerts } from '../../src/alerts/remove-old-alerts'
import { assembleHousekeeping } from '../../src/housekeeping/assemble-housekeeping'
import { housekeepingStorage } from '../../src/housekeeping/housekeeping-store'
import { createIdempotency, idempotencyBegunAt, idempotencyStorage } from '../../src/http/idempotency'
import { assembleReconciliation } from '../../src/reconciliation/assemble-reconciliation'
import { reconciliationStorage } from '../../src/reconciliation/reconciliation-store'
import { createTuningJobs } from '../../src/tuning/tuning-jobs'
import { createTuningStore } from '../../src/tuning/tuning-store'
import { createUsageDesk } from '../../src/usage/usage-desk'
import { createBlobCursors } from '../../src/usage/blob-cursors'
import { createRecentUsage } from '../../src/usage/recent-usage'
import { createUsageReader } from '../../src/usage/usage-reader'
import { createTenantsWithUsage } from '../../src/usage/tenants-with-usage'
import { usageStorage } from '../../src/usage/run-roll-up'

/** The tables that must exist before the first request. */
export const controlPlaneStorage = {
  tables: [
    ...dataKeyStorage.tables,
    ...keyRotationStorage.tables,
    ...directoryStorage.tables,
    ...memberStorage.tables,
    ...offboardingStorage.tables,
    ...signingStorage.tables,
    ...placeStorage.tables,
    ...fileStorage.tables,
    ...alertStorage.tables,
    ...outboxStorage.tables,
    ...neighbourStorage.tables,
    ...registrationStorage.tables,
    ...tenantStorage.tables,
    ...keyStorage.tables,
    ...backendStorage.tables,
    ...stampStorage.tables,
    ...secretStorage.tables,
    ...idempotencyStorage.tables,
    ...auditStorage.tables,
    ...limitStorage.tables,
    ...budgetStorage.tables,
    ...billingStorage.tables,
    ...capacityStorage.tables,
    ...usageStorage.tables,
    ...sharedModelStorage.tables,
    ...recoveryStorage.tables,
    ...slaStorage.tables,
    ...reconciliationStorage.tables,
    ...housekeepingStorage.tables,
  ],
  queues: sharedModelStorage.queues,
  containers: placeStorage.containers,
}

export interface WiringOptions {
  readonly storage: StorageAccount
  readonly clock: Clock
  readonly chance: Chance
  readonly ids: IdMaker
  readonly log: Log
  readonly keyPeppers: readonly [string, ...string[]]
  /** SHA-256 of each operator token, in lower-case hex. */
  readonly operatorTokenHashes: readonly string[]
  readonly queryUsage: ControlPlane['queryUsage']
  readonly entra?: EntraSettings | undefined
  /** What the usage log says; nothing by default. */
  readonly spentByLog?: SpentByLog
}

const noFiles = {
  get: async () => undefined,
  read: async () => undefined,
  create: async () => new Problem('conflict', 'There are no files here.'),
  remove: async () => false,
}
const nothingTrains = new Problem('conflict', 'Nothing is trained here.')

/** Checklists run on a host, which is not here. */
/** The one account of which Resource Manager says where it is. */
const rotatedAccountOnly = async (id: string): Promise<ArmOutcome> =>
  id.endsWith('/accounts/rotated')
    ? {
        kind: 'ready',
        resource: { id, name: 'rotated', properties: { endpoint: 'https://rotated.openai.azure.com/' } },
      }
    : { kind: 'gone' }

const nothingRuns = () => Promise.reject(new Error('no checklist runs here'))

/** The control plane as the app composes it, but on a clock of the test's. */
export function wireControlPlane(options: WiringOptions) {
  const { storage, clock, chance, ids, log, keyPeppers, operatorTokenHashes, queryUsage } = options

  const backends = createBackends({ table: platformTable(storage.table('backends')), clock, log })
  const tenantRows = tenantTable(storage.table('tenants'))
  const snapshotStore = createSnapshotStore(tenantRows)
  const snapshots = createTenantSnapshots({ store: snapshotStore, clock, log })
  const directory = createTenantDirectory(platformTable(storage.table('tenantdirectory')))
  const tenants = createTenants({
    table: tenantRows,
    directory,
    snapshots: snapshotStore,
    clock,
    knownBackends: (ids, tenantId) => backends.known(ids, tenantId),
    onChange: (tenantId) => snapshots.forget(tenantId),
  })

  const apiKeys = createApiKeys({ peppers: keyPeppers, chance })
  const keyStore = createKeyStore(tenantTable(storage.table('keys')))
  const directories = createDirectories({
    index: platformTable(storage.table('directories')),
    rows: tenantTable(storage.table('directories')),
  })
  const members: Members = createMembers({
    rows: tenantTable(storage.table('members')),
    clock,
    onChange: (scope, principal) => entra?.forget(scope, principal),
  })
  const entra =
    options.entra &&
    createEntraCallers({ tokens: createEntraTokens(options.entra), directories, members: () => members, clock, log })
  const authenticator = createAuthenticator({
    entra: entra?.callerOf,
    store: keyStore,
    apiKeys,
    clock,
    log,
  })
  const keys = createKeys({ store: keyStore, apiKeys, tenants, clock, onChange: (key) => authenticator.forget(key) })

  const backendHealth = createBackendHealth(clock)
  const stop = { hasBegun: false }
  const health = assembleHealth({
    rows: platformTable(storage.table('tenantdirectory')),
    // Nothing is called here.
    usageLog: { behind: undefined },
    backends,
    standings: backendHealth,
    reachVault: undefined,
    signIn: undefined,
    isStopping: () => stop.hasBegun,
    instanceId: ids.instanceId(),
    version: '1.2.3',
    clock,
  })
  const audit = createAuditLog({
    tenantRows: tenantTable(storage.table('audit')),
    platformRows: platformTable(storage.table('audit')),
    clock,
    chance,
  })
  const handle = createHandle({
    authenticator,
    failedAttempts: createFailedAttempts(clock),
    operators: createOperators({ tokens: operatorTokenHashes.map((text) => ({ hash: text, role: 'operator' })) }),
    snapshots,
    auditRequest: createAuditRequest({ audit, snapshots, log }),
    idempotency: createIdempotency({ clock, chance, secret: keyPeppers[0] }),
    tenantRows: tenantTable(storage.table('idempotency')),
    platformRows: platformTable(storage.table('idempotency')),
    isStopping: () => stop.hasBegun,
    clock,
    chance,
    log,
  })
  const wrappingKey = keyFileWrappingKey(join(mkdtempSync(join(tmpdir(), 'tenantry-keys-')), 'wrapping-key.json'))
  const keyring = createTenantKeys({
    table: tenantTable(storage.table('datakeys')),
    wrappingKey,
    clock,
    chance,
    log,
  })
  const places = createPlaces({
    storage,
    rows: tenantTable(storage.table('tenantplaces')),
    clock,
    log,
  })
  const sealedRecords = createSealedRecords({ data: places, sealer: createSealer({ keys: keyring, chance }) })
  const registry = createRegistry(sealedRecords)
  const tuningStore = createTuningStore(sealedRecords)
  const evaluationStore = createEvaluationStore(sealedRecords)
  const promotions = createPromotions({
    records: sealedRecords,
    registry,
    tenants,
    backendOf: async (id) => (await backends.read(id))?.backend,
    figuresOf: async () => [],
    clock,
  })
  // There are no model accounts here that a copy of a file could go to.
  const unreached = () => Promise.reject(new Error('there are no model accounts here'))
  const files = assembleFiles({
    storage,
    records: sealedRecords,
    places,
    upstream: { send: unreached },
    http: { send: unreached },
    credentials: { headerOf: () => undefined },
    ids,
    clock,
    log,
  })
  const datasets = assembleDatasets({ records: sealedRecords, files: files.files, ids, clock })
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  // Nothing is built here: test/shared-models has a host that does.
  const sharedModels = assembleSharedModels({
    storage,
    records: sealedRecords,
    keyring,
    tenants,
    backends,
    alerts,
    audit,
    files: noFiles,
    tuningJobs: { create: async () => nothingTrains, get: async () => undefined, cancel: async () => undefined },
    emptyOwner: async () => ({ kind: 'removed' }),
    bounds: { retrain: 'start', pollMs: 1_000, drainMs: 0, affectedMsMax: 86_400_000 },
    ids,
    clock,
    log,
  })
  const notifications = assembleNotifications({
    storage,
    records: sealedRecords,
    keyring,
    alerts,
    identity: { getToken: async () => ({ token: 'a-token', expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) },
    smallHttp: { send: unreached },
    tenantOf: async (tenantId) => snapshots.get(tenantId),
    settings: {
      mail: { endpoint: 'https://mail.example', sender: 'platform@mail.example' },
      eventGridTopicUrl: 'https://topic.example/api/events',
      webhookHostsOpen: ['127.0.0.1'],
    },
    publicUrl: 'http://platform.example',
    clock,
    chance,
    log,
  })
  const stamps = createStamps(platformTable(storage.table('stamps')))
  const secrets = createWrappedSecrets(tenantTable(storage.table('secrets')), wrappingKey, clock)
  const reconciliation = assembleReconciliation({
    storage,
    // Nothing was called here; test/reconciliation compares with a real account.
    arm: { get: nothingRuns },
    tenantsWithUsage: async function* () {},
    readUsage: async function* () {},
    backends,
    stamps,
    alerts,
    clock,
    log,
  })
  const housekeeping = assembleHousekeeping({
    storage,
    keys,
    secrets,
    keyring,
    wrappingKey,
    held: [],
    pepper: keyPeppers[0],
    queues: sharedModelStorage.queues,
    begunAt: idempotencyBegunAt,
    removeOldAlerts: createRemoveOldAlerts(platformTable(storage.table('alerts'))),
    freshen: async () => {},
    spentByLog: async () => ({ tokens: 0, microUsd: 0 }),
    budgetWarnings: { look: () => {} },
    reconciliation: reconciliation.store,
    alerts,
    notifications: notifications.notifications,
    tenantIds: () => everyTenant(directory),
    tenantOf: async (tenantId) => snapshots.get(tenantId),
    clock,
    chance,
    log,
  })
  const capacity = assembleCapacity({
    storage,
    // Nothing was called here; test/capacity forecasts real use.
    usage: { read: async function* () {} },
    tenantsWithUsage: async function* () {},
    tenants,
    backends,
    rollUp: { run: async () => {} },
    alerts,
    clock,
    log,
  })
  const { billing } = assembleBilling({
    storage,
    tenants,
    backends,
    ownPrices: { use: () => {} },
    alerts,
    usage: createUsageReader({ storage, clock }),
    tenantsWithUsage: createTenantsWithUsage({ storage, clock }),
    // What tests need of usage they write as sheets of days; test/billing has a log that is rolled up.
    rollUp: { run: async () => {} },
    notifications: notifications.notifications,
    leftAt: async () => undefined,
    tenantIds: (after) => everyTenant(directory, after),
    clock,
    chance,
    log,
  })
  const sla = assembleSla({
    storage,
    // What tests need of usage they roll up themselves; test/sla has timers that do.
    reader: createUsageReader({ storage, clock }),
    tenantsWithUsage: async function* () {},
    recentUsage: createRecentUsage({ storage, clock, cursors: createBlobCursors(storage) }),
    rollUp: { run: async () => {} },
    backends: backends.all,
    tenantOf: async (tenantId) => snapshots.get(tenantId),
    alerts,
    notifications: notifications.notifications,
    ids,
    clock,
    log,
  })
  const controlPlane: ControlPlane = {
    keyRotations: createKeyRotations({
      accounts: createRotatedAccounts(platformTable(storage.table('accountkeys'))),
      arm: { get: rotatedAccountOnly },
      stamps: createStamps(platformTable(storage.table('stamps'))),
      clock,
    }),
    sla: sla.controlPlane,
    billing,
    capacity,
    showReconciliation: reconciliation.show,
    showHousekeeping: housekeeping.show,
    noisyNeighbours: createNoisyNeighbours({
      store: createNeighbourStore(storage),
      tenants,
      alerts,
      audit,
      tenantOf: async (tenantId) => snapshots.get(tenantId),
      clock,
    }),
    subscriptions: notifications.desk,
    deadLetters: notifications.deadLetters,
    sharedModels: sharedModels.deps,
    datasets: datasets.datasets,
    linkUploads: files.linkUploads,
    registry,
    promotions,
    evaluations: createEvaluations({
      store: evaluationStore,
      registry,
      // Neither files nor models are here; test/evaluation has both.
      files: { get: async () => undefined, read: async () => undefined },
      backends: backends.all,
      tenantOf: async (tenantId) => snapshots.get(tenantId),
      call: async () => new Problem('no_backend', 'There are no models here.'),
      wake: async () => ({ kind: 'failed', problem: new Problem('no_backend', 'There are no models here.') }),
      clock,
    }),
    recovery: assembleRecovery({
      storage,
      replica: undefined,
      bounds: { goneKeptMs: 0, lagMsMax: 0 },
      places,
      records: sealedRecords,
      registry,
      tenants,
      alerts,
      audit,
      tenantIds: async function* () {},
      files: files.files,
      stamps: createStamps(platformTable(storage.table('stamps'))),
      deployments: { ensure: nothingRuns, remove: nothingRuns },
      tuningJobs: { create: nothingRuns, get: nothingRuns, cancel: nothingRuns },
      arm: { get: nothingRuns, put: nothingRuns, remove: nothingRuns, post: nothingRuns, principalId: nothingRuns },
      pollMs: 1_000,
      clock,
      log,
    }),
    modelDrift: createModelDrift({
      store: createDriftStore(sealedRecords),
      registry,
      tenantOf: async (tenantId) => snapshots.get(tenantId),
      clock,
    }),
    tuningJobs: createTuningJobs({
      store: tuningStore,
      registry,
      files: files.files,
      datasets: datasets.datasets,
      tenants,
      stages: {},
      begin: async () => {},
      ids,
      clock,
    }),
    tenants,
    keys,
    backends,
    stamps,
    secrets,
    audit,
    queryUsage,
    usageDesk: createUsageDesk({
      storage,
      clock,
      // Nothing was called here; test/usage has a log that is rolled up.
      rollUp: { run: async () => {} },
      tenantsWithUsage: createTenantsWithUsage({ storage, clock }),
    }),
    showLimits: createShowLimits({
      tenants,
      keys,
      windows: windowsIn(storage),
      budgets: budgetsIn(storage),
      spentByLog: options.spentByLog ?? (async () => ({ tokens: 0, microUsd: 0 })),
      clock,
    }),
    health,
    version: '1.2.3',
    ids,
    clock,
    credentialLinks: createCredentialLinks({ records: sealedRecords, clock, secret: keyPeppers[0] }),
    registrationSettings: createRegistrationSettings(platformTable(storage.table('registrations'))),
    registrationTokens: createRegistrationTokens(keyPeppers[0]),
    registrationGate: createRegistrationGate(clock),
    alerts,
    publicUrl: 'http://platform.example',
    directories,
    members,
    keyring,
    offboardings: createOffboardings(platformTable(storage.table('offboardings'))),
    exporter: createExporter({
      container: storage.container('exports'),
      secret: keyPeppers[0],
      wrappingKey,
      validMs: 7 * 86_400_000,
      clock,
      chance,
      filesOf: async function* () {},
    }),
    certificateSigner: createCertificateSigner({
      rows: platformTable(storage.table('signingkeys')),
      wrappingKey,
      newKeyId: () => ids.keyId(),
    }),
  }
  return {
    controlPlane,
    notifications,
    handle,
    audit,
    backendHealth,
    stop,
    authenticator,
    snapshots,
    snapshotStore,
    backends,
    keyStore,
    tenants,
    keys,
    apiKeys,
    tuningStore,
    evaluationStore,
    sealedRecords,
    files,
    keyring,
    datasets,
  }
}
