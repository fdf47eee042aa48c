import { createAlertReceivers } from './alerts/alert-receivers'
import { alertStorage, createAlerts, type Alerts } from './alerts/alerts'
import type { Checklist } from './checklists/checklist'
import { createRunStep } from './checklists/run-step'
import { createCanaryKey } from './onboarding/canary'
import { createCredentialLinks } from './onboarding/credential-links'
import { onboardingChecklist } from './onboarding/onboarding-checklist'
import type { OnboardingDeps } from './onboarding/onboarding-deps'
import { createRegistrationGate } from './onboarding/registration-gate'
import { createRegistrationSettings, registrationStorage } from './onboarding/registration-settings'
import { createRegistrationTokens } from './onboarding/registration-tokens'
import { keyVaultWrappingKey } from './azure/key-vault-wrapping-key'
import { exportArchive } from './functions/export-archive'
import { createCertificateSigner, signingStorage } from './offboarding/certificate'
import { createExporter } from './offboarding/exporter'
import { exportFiles } from './offboarding/export-files'
import { offboardingChecklist } from './offboarding/offboarding-checklist'
import { createOffboardings, offboardingStorage } from './offboarding/offboardings'
import { createSweep } from './offboarding/sweep'
import { tenantStores } from './offboarding/tenant-stores'
import { createSealer } from './encryption/create-sealer'
import { keyFileWrappingKey } from './encryption/key-file'
import { createSealedRecords } from './encryption/sealed-records'
import { createTenantKeys, dataKeyStorage } from './encryption/tenant-keys'
import { createPlaces, placeStorage } from './storage/places'
import { auditStorage } from './audit/chain-rows'
import { createAuditLog } from './audit/create-audit-log'
import { createApiKeys } from './access/api-key'
import { createAuthenticator } from './access/authenticator'
import { createKeyStore, keyStorage } from './access/key-store'
import { createKeys } from './access/keys'
import { createOperators } from './access/operators'
import { createBackendCredentials } from './azure/backend-credentials'
import { appIdentity } from './azure/identity'
import { createUpstreamHttp } from './azure/upstream-http'
import { systemChance } from './base/chance'
import { repeat, systemClock } from './base/clock'
import { createIdMaker } from './base/ids'
import { describeError, type Log } from './base/log'
import type { Config } from './config'
import { createCheckHealth } from './http/check-health'
import type { RegisteredChecklist } from './functions/durable/register-checklists'
import type { ControlPlane } from './http/control-plane'
import { createAuditRequest } from './http/audit-request'
import { createHandle, type Handle } from './http/handle'
import { createIdempotency, idempotencyStorage } from './http/idempotency'
import { createBodyRoom } from './inference/body-room'
import { createRunningCalls } from './inference/running-calls'
import { serve, type ServeDeps } from './inference/serve'
import { createLimiter, limitStorage } from './limits/create-limiter'
import { createPriceBook } from './metering/price-book'
import { createUsageLog } from './metering/create-usage-log'
import { backendStorage, createBackends } from './routing/backends'
import { createBackendHealth } from './routing/health'
import { connectStorage, type StorageConnection } from './storage/connect'
import { platformTable } from './storage/platform-table'
import { tenantTable } from './storage/tenant-table'
import { createSnapshotStore } from './tenants/snapshot-store'
import { createTenantDirectory } from './tenants/tenant-directory'
import { createTenantSnapshots } from './tenants/tenant-snapshots'
import { createTenants, tenantStorage } from './tenants/tenants'
import { queryUsage } from './usage/query-usage'
import { createRollUp, usageStorage } from './usage/run-roll-up'

/** The app put together: what the triggers call. Made once a process; nothing in it touches the network before `start`. */
export interface Platform {
  readonly serve: (
    ...args: Parameters<typeof serve> extends [ServeDeps, ...infer Rest] ? Rest : never
  ) => ReturnType<typeof serve>
  readonly controlPlane: ControlPlane
  readonly handle: Handle
  readonly rollUpUsage: () => Promise<void>
  /** Each becomes a durable orchestration with an activity for its steps. */
  readonly checklists: readonly RegisteredChecklist[]
  readonly exportArchive: Parameters<typeof exportArchive>[0]
  /** Makes the tables and containers that are missing. */
  start(): Promise<void>
  /** Waits for the calls under way, then writes what is still in memory. */
  stop(): Promise<void>
}

const SWEEP_INTERVAL_MS = 60_000
/** Below the grace that hosts give a process that must end. */
const STOP_GRACE_MS = 25_000

export function compose(config: Config, log: Log, version: string): Platform {
  const clock = systemClock
  const chance = systemChance()
  const ids = createIdMaker({ clock, chance })
  const instanceId = ids.instanceId()
  const identity = appIdentity(config.identityClientId)
  const connection: StorageConnection =
    config.storage.kind === 'identity' ? { ...config.storage, credential: identity } : config.storage
  const storage = connectStorage(connection, config.storagePrefix)

  const snapshotStore = createSnapshotStore(tenantTable(storage.table('tenants')))
  const snapshots = createTenantSnapshots({ store: snapshotStore, clock, log })
  const backends = createBackends({ table: platformTable(storage.table('backends')), clock, log })
  const tenants = createTenants({
    table: tenantTable(storage.table('tenants')),
    directory: createTenantDirectory(platformTable(storage.table('tenantdirectory'))),
    snapshots: snapshotStore,
    clock,
    knownBackends: backends.known,
    onChange: snapshots.forget,
  })

  const apiKeys = createApiKeys({ peppers: [config.keyPepper], chance })
  const keyStore = createKeyStore(tenantTable(storage.table('keys')))
  const authenticator = createAuthenticator({ store: keyStore, apiKeys, clock, log })
  const keys = createKeys({ store: keyStore, apiKeys, tenants, clock, onChange: authenticator.forget })

  const audit = createAuditLog({
    tenantRows: tenantTable(storage.table('audit')),
    platformRows: platformTable(storage.table('audit')),
    clock,
    chance,
  })
  const limiter = createLimiter({ storage, clock, chance, instanceId, log })
  const usageLog = createUsageLog({ storage, clock, instanceId, log })
  const rollUp = createRollUp({ storage, clock, log, ownLog: usageLog })
  const runningCalls = createRunningCalls(clock)
  const upstream = createUpstreamHttp()
  const serveDeps: ServeDeps = {
    authenticate: authenticator.authenticate,
    tenantOf: snapshots.get,
    backends: backends.all,
    limiter,
    usageLog,
    costOf: createPriceBook().costOf,
    runningCalls,
    bodyRoom: createBodyRoom(),
    upstream,
    credentials: createBackendCredentials({ settings: config.backendKeys, identity, clock }),
    health: createBackendHealth(clock),
    ids,
    clock,
    chance,
    log,
  }

  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
  const usageOf: OnboardingDeps['queryUsage'] = (scope, query) => queryUsage({ storage, rollUp, clock }, scope, query)
  const wrappingKey =
    config.wrappingKey.kind === 'key-file'
      ? keyFileWrappingKey(config.wrappingKey.file)
      : keyVaultWrappingKey({ ...config.wrappingKey, credential: identity })
  const dataKeys = createTenantKeys({ table: tenantTable(storage.table('datakeys')), wrappingKey, clock, chance, log })
  const places = createPlaces({
    storage,
    rows: tenantTable(storage.table('tenantplaces')),
    connectAccount: () => Promise.reject(new Error('no storage accounts of tenants yet')),
    clock,
    log,
  })
  const records = createSealedRecords({ data: places, sealer: createSealer({ keys: dataKeys, chance }) })
  const credentialLinks = createCredentialLinks({ records, clock, secret: config.keyPepper })
  const onboarding = onboardingChecklist({
    tenants,
    keys,
    places,
    keyring: dataKeys,
    credentialLinks,
    audit,
    limitRows: tenantTable(storage.table('limits')),
    alertReceivers: createAlertReceivers(tenantTable(storage.table('alerts'))),
    costOf: serveDeps.costOf,
    queryUsage: usageOf,
    canaryKey: createCanaryKey({ tenants, keys, ids, clock }),
    publicUrl: config.publicUrl,
    ids,
    clock,
  })

  const offboardings = createOffboardings(platformTable(storage.table('offboardings')))
  const certificateSigner = createCertificateSigner({
    rows: platformTable(storage.table('signingkeys')),
    wrappingKey,
    newKeyId: () => ids.keyId(),
  })
  const exporter = createExporter({
    container: storage.container('exports'),
    secret: config.keyPepper,
    chance,
    filesOf: (scope) => exportFiles({ tenants, keys, audit, records, queryUsage: usageOf, clock }, scope),
  })
  const offboarding = offboardingChecklist({
    tenants,
    offboardings,
    exporter,
    stores: tenantStores({ storage, places }),
    places,
    keyring: dataKeys,
    sweep: createSweep(storage),
    signer: certificateSigner,
    audit,
    publicUrl: config.publicUrl,
    graceMs: config.offboardingGraceMs,
    clock,
  })

  const sweeping = repeat(
    { clock, onError: (error) => log.error('the sweep failed', { error: describeError(error) }) },
    SWEEP_INTERVAL_MS,
    async () => runningCalls.sweep(),
  )

  return {
    serve: (request) => serve(serveDeps, request),
    controlPlane: {
      tenants,
      keys,
      backends,
      audit,
      queryUsage: usageOf,
      credentialLinks,
      registrationSettings: createRegistrationSettings(platformTable(storage.table('registrations'))),
      registrationTokens: createRegistrationTokens(config.keyPepper),
      registrationGate: createRegistrationGate(clock),
      alerts,
      offboardings,
      exporter,
      certificateSigner,
      publicUrl: config.publicUrl,
      version,
      checkHealth: createCheckHealth({ rows: platformTable(storage.table('tenants')), clock, version }),
      ids,
      clock,
    },
    handle: createHandle({
      authenticator,
      operators: createOperators({ tokenHashes: config.operatorTokenHashes }),
      snapshots,
      auditRequest: createAuditRequest({ audit, snapshots, log }),
      idempotency: createIdempotency({ clock, chance, secret: config.keyPepper }),
      tenantRows: tenantTable(storage.table('idempotency')),
      platformRows: platformTable(storage.table('idempotency')),
      clock,
      chance,
      log,
    }),
    rollUpUsage: async () => {
      await rollUp.run()
      await rollUp.compact()
    },
    checklists: [registered(onboarding, { log, alerts }), registered(offboarding, { log, alerts })],
    exportArchive: { offboardings, exporter, clock },
    start: () => storage.ensure(merge(storageNeeds)),
    stop: async () => {
      await sweeping.stop()
      if (!(await runningCalls.idle(STOP_GRACE_MS))) log.warn('calls are cut off', { count: runningCalls.count })
      await Promise.all([usageLog.close(), limiter.close()])
      await upstream.close()
    },
  }
}

/** An undo that failed for good is an operator's business. */
const registered = <Input>(checklist: Checklist<Input>, { log, alerts }: { log: Log; alerts: Alerts }) => ({
  checklist,
  runStep: createRunStep(checklist, {
    log,
    alert: ({ checklist: name, operationId, tenantId, step, fault }) =>
      alerts.raise({
        id: `undo-failed/${operationId}/${step}`,
        tenantId,
        title: `The ${name} of ${tenantId} left something behind`,
        detail: `Undoing the step "${step}" of ${operationId} failed for good (${fault.code}): ${fault.detail}`,
      }),
  }),
})

interface StorageNeeds {
  readonly tables?: readonly string[]
  readonly containers?: readonly string[]
}

export const storageNeeds: readonly StorageNeeds[] = [
  tenantStorage,
  keyStorage,
  backendStorage,
  idempotencyStorage,
  auditStorage,
  limitStorage,
  usageStorage,
  alertStorage,
  registrationStorage,
  dataKeyStorage,
  placeStorage,
  offboardingStorage,
  signingStorage,
]

function merge(needs: readonly StorageNeeds[]): { tables: string[]; containers: string[] } {
  return {
    tables: needs.flatMap(({ tables }) => tables ?? []),
    containers: needs.flatMap(({ containers }) => containers ?? []),
  }
}
