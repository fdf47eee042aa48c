/** The composition root, in one file since it is one list: everything there is, in the order in which one needs the other. */
import { exportArchive } from './functions/export-archive'
import { createAlerts, type Alerts } from './alerts/alerts'
import { createAuditLog } from './audit/create-audit-log'
import { composeLifecycle, registered } from './compose-lifecycle'
import { composeTelemetry, tracedTimers } from './compose-telemetry'
import { composeWatching } from './compose-watching'
import { allStorageNeeds } from './storage-needs'
import { createApiKeys } from './access/api-key'
import { createAuthenticator } from './access/authenticator'
import { createKeyStore } from './access/key-store'
import { createKeys } from './access/keys'
import { createDirectories } from './access/directories'
import { createEntraCallers, type EntraCallers } from './access/entra-callers'
import { createEntraTokens } from './access/entra-tokens'
import { createMembers, type Members } from './access/members'
import { createFailedAttempts } from './access/failed-attempts'
import { createOperators } from './access/operators'
import { createAccountKeys } from './azure/account-keys'
import { createArm } from './azure/arm-client'
import { createBackendCredentials } from './azure/backend-credentials'
import { appIdentity } from './azure/identity'
import { keyVaultWrappingKey } from './azure/key-vault-wrapping-key'
import { createKeyVaultSecrets } from './azure/key-vault-secrets'
import { createSmallHttp } from './azure/small-http'
import { createUpstreamHttp } from './azure/upstream-http'
import { createOwnPrices } from './billing/own-prices'
import { createBudgetWarnings } from './budgets/budget-warnings'
import { budgetsIn, createBudgetKeeper } from './budgets/create-budget-keeper'
import { createShowLimits } from './budgets/limits-report'
import { removeOldBudgets } from './budgets/remove-old-budgets'
import { createBatchOperations } from './batches/batch-operations'
import type { HostingBeginnings } from './hosting/begin-hosting'
import type { SharedModelBeginnings } from './shared-models/begin-shared-model'
import type { TuningBeginnings } from './tuning/begin-tuning'
import type { BatchBeginnings } from './batches/begin-batch'
import { systemChance } from './base/chance'
import { repeat, systemClock, type Clock } from './base/clock'
import { createIdMaker } from './base/ids'
import { describeError, toldBy, type Log } from './base/log'
import type { Config } from './config'
import { createFairQueue } from './fairness/fair-queue'
import { keyFileWrappingKey } from './encryption/key-file'
import { createWrappedPlatformSecrets, createWrappedSecrets } from './encryption/wrapped-secrets'
import { assembleHealth } from './health/assemble-health'
import type { RegisteredChecklist } from './functions/durable/register-checklists'
import type { Timers } from './functions/timers'
import type { ControlPlane } from './http/control-plane'
import { createAuditRequest } from './http/audit-request'
import { createHandle, type Handle } from './http/handle'
import { createIdempotency } from './http/idempotency'
import { createFileOperations } from './files/file-operations'
import { createUploadOperations } from './files/upload-operations'
import { createBodyRoom } from './inference/body-room'
import { callForTenant } from './inference/call-for-tenant'
import { createGathering } from './inference/gathering'
import { createHedgeBudget } from './inference/hedge'
import { storedPaths } from './inference/match-path'
import { createRunningCalls } from './inference/running-calls'
import { stopCalls } from './inference/stop-calls'
import { serve, type ServeDeps } from './inference/serve'
import { assembleKeyRotation, rotatedAddresses } from './key-rotation/assemble-key-rotation'
import { createRotatedAccounts } from './key-rotation/rotated-accounts'
import { createLimiter, windowsIn } from './limits/create-limiter'
import { createLateUsage } from './metering/late-usage'
import { createPriceBook } from './metering/price-book'
import { createUsageLog } from './metering/create-usage-log'
import { assembleResponses } from './responses/assemble-responses'
import { createBackends } from './routing/backends'
import { createAccountWatch } from './routing/account-watch'
import { createBackendHealth } from './routing/health'
import { createBackendLoad } from './routing/load'
import { createStamps } from './stamps/stamps'
import { connectStorage, type StorageConnection } from './storage/connect'
import { platformTable } from './storage/platform-table'
import type { TenantScope } from './storage/tenant-scope'
import { tenantTable, type Columns } from './storage/tenant-table'
import { createSnapshotStore } from './tenants/snapshot-store'
import { createTenantDirectory, everyTenant } from './tenants/tenant-directory'
import { createTenantSnapshots } from './tenants/tenant-snapshots'
import { createTenants } from './tenants/tenants'
import { queryUsage } from './usage/query-usage'
import { createSpentByLog } from './usage/spent-by-log'
import { createRollUp } from './usage/run-roll-up'

/** The app put together: what the triggers call. Made once a process; nothing in it touches the network before `start`. */
export interface Platform {
  readonly serve: (
    ...args: Parameters<typeof serve> extends [ServeDeps, ...infer Rest] ? Rest : never
  ) => ReturnType<typeof serve>
  readonly controlPlane: ControlPlane
  readonly handle: Handle
  readonly timers: Timers
  /** Each becomes a durable orchestration with an activity for its steps. */
  readonly checklists: readonly RegisteredChecklist[]
  readonly exportArchive: Parameters<typeof exportArchive>[0]
  readonly batchBeginnings: BatchBeginnings
  readonly tuningBeginnings: TuningBeginnings
  readonly sharedModelBeginnings: SharedModelBeginnings
  readonly hostingBeginnings: HostingBeginnings
  /** Makes the tables and containers that are missing. */
  start(): Promise<void>
  /** Waits for the calls under way and cuts off what is left, then writes what is still in memory. */
  stop(): Promise<void>
}

const SWEEP_INTERVAL_MS = 60_000

/** `clock` is another one where time is to be moved by hand. */
export function compose(config: Config, log: Log, version: string, clock: Clock = systemClock): Platform {
  const chance = systemChance()
  const ids = createIdMaker({ clock, chance })
  const instanceId = ids.instanceId()
  const smallHttp = createSmallHttp()
  const identity = appIdentity({ ...config, http: smallHttp, clock })
  const connection: StorageConnection =
    config.storage.kind === 'identity' ? { ...config.storage, credential: identity } : config.storage
  const storage = connectStorage(connection, config.storagePrefix)

  const wrappingKey =
    config.wrappingKey.kind === 'key-file'
      ? keyFileWrappingKey(config.wrappingKey.file)
      : keyVaultWrappingKey({ ...config.wrappingKey, credential: identity })
  const secrets =
    config.secretsVaultUrl === undefined
      ? {
          ...createWrappedSecrets(tenantTable(storage.table('secrets')), wrappingKey, clock),
          platform: createWrappedPlatformSecrets(platformTable(storage.table('secrets')), wrappingKey),
        }
      : createKeyVaultSecrets({ vaultUrl: config.secretsVaultUrl, identity, http: smallHttp, clock })

  const snapshotStore = createSnapshotStore(tenantTable(storage.table('tenants')))
  const snapshots = createTenantSnapshots({ store: snapshotStore, clock, log })
  const backends = createBackends({ table: platformTable(storage.table('backends')), clock, log })
  const stamps = createStamps(platformTable(storage.table('stamps')))
  const tenantDirectory = createTenantDirectory(platformTable(storage.table('tenantdirectory')))
  const tenants = createTenants({
    table: tenantTable(storage.table('tenants')),
    directory: tenantDirectory,
    snapshots: snapshotStore,
    clock,
    knownBackends: backends.known,
    onChange: snapshots.forget,
  })

  const apiKeys = createApiKeys({ peppers: [config.keyPepper], chance })
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
    config.entra &&
    createEntraCallers({ tokens: createEntraTokens(config.entra), directories, members: () => members, clock, log })
  const authenticator = createAuthenticator({
    store: keyStore,
    apiKeys,
    entra: entra?.callerOf,
    onRead: snapshots.expect,
    clock,
    log,
  })
  const keys = createKeys({ store: keyStore, apiKeys, tenants, clock, onChange: authenticator.forget })

  const audit = createAuditLog({
    tenantRows: tenantTable(storage.table('audit')),
    platformRows: platformTable(storage.table('audit')),
    clock,
    chance,
  })
  const failedAttempts = createFailedAttempts(clock)
  const limiter = createLimiter({ storage, clock, chance, instanceId, log })
  const usageLog = createUsageLog({ storage, clock, instanceId, log })
  const rollUp = createRollUp({ storage, clock, log, ownLog: usageLog })
  const runningCalls = createRunningCalls(clock)
  const fairQueue = createFairQueue({ clock })
  const health = createBackendHealth(clock)
  const upstream = createUpstreamHttp(clock)
  const alerts: Alerts = createAlerts({
    rows: platformTable(storage.table('alerts')),
    clock,
    onUntold: () => watching.wakeNotifications(),
  })
  const usageOf = (scope: TenantScope, query: Readonly<Record<string, string>>) =>
    queryUsage({ storage, rollUp, clock }, scope, query)
  const spentByLog = createSpentByLog(usageOf)
  const budgetWarnings = createBudgetWarnings({ alerts, log })
  const budgets = createBudgetKeeper({
    store: budgetsIn(storage),
    spentByLog,
    warnings: budgetWarnings,
    clock,
    chance,
    instanceId,
    log,
  })
  const rotatedAccounts = createRotatedAccounts(platformTable(storage.table('accountkeys')))
  const credentials = createBackendCredentials({
    settings: config.backendKeys,
    accountKeys: createAccountKeys({
      rotated: () => rotatedAddresses(rotatedAccounts),
      secrets: secrets.platform,
      clock,
    }),
    identity,
    secrets,
    clock,
  })
  const book = createPriceBook()
  const ownPrices = createOwnPrices(book)
  const { costOf, batchCostOf } = book
  const lateUsage = createLateUsage({ storage, clock })
  const responses = assembleResponses({
    storage,
    upstream,
    credentials,
    backends: backends.all,
    lateUsage,
    costOf,
    ids,
    clock,
    log,
  })
  const lifecycle = composeLifecycle({
    config,
    storage,
    connection,
    stamps,
    identity,
    smallHttp,
    upstream,
    credentials,
    wrappingKey,
    tenants,
    keys,
    directories,
    members,
    backends,
    secrets,
    alerts,
    audit,
    costOf,
    batchCostOf,
    hostingPricesAt: ownPrices.hostingAt,
    trainingPricesAt: ownPrices.trainingAt,
    lateUsage,
    responses: responses.ofTenant,
    spentByLog,
    budgetWarnings,
    tenantOf: snapshots.get,
    queryUsage: usageOf,
    callModel: (call) => callForTenant(serveDeps, call),
    tenantIds: () => everyTenant(tenantDirectory),
    instanceId,
    ids,
    clock,
    chance,
    log,
  })

  const watching = composeWatching({
    config,
    storage,
    rollUp,
    records: lifecycle.records,
    keyring: lifecycle.keyring,
    alerts,
    audit,
    tenants,
    keys,
    backends,
    stamps,
    secrets,
    wrappingKey,
    budgetWarnings,
    identity,
    smallHttp,
    ownPrices,
    leftAt: async (tenantId) => (await lifecycle.controlPlane.offboardings.get(tenantId))?.frozenAt,
    tenantIdsAfter: (after) => everyTenant(tenantDirectory, after),
    tenantIds: () => everyTenant(tenantDirectory),
    tenantOf: snapshots.get,
    instanceId,
    ids,
    clock,
    chance,
    log,
  })

  const keyRotation = assembleKeyRotation({
    accounts: rotatedAccounts,
    arm: createArm({ ...config.arm, identity, http: smallHttp }),
    http: smallHttp,
    secrets: secrets.platform,
    backends,
    stamps,
    settings: config.backendKeys,
    audit,
    alerts,
    ids,
    clock,
    log,
  })

  const bodyRoom = createBodyRoom()
  const telemetry = composeTelemetry(config.telemetry, {
    runningCalls,
    bodyRoom,
    usageLog,
    backends,
    standings: health,
    http: smallHttp,
    identity,
    instanceId,
    version,
    clock,
    chance,
    log,
  })

  const driftTap = lifecycle.drift.createTap()
  const serveDeps: ServeDeps = {
    authenticate: authenticator.authenticate,
    failedAttempts,
    tenantOf: snapshots.get,
    backends: backends.all,
    backendsAnew: backends.anew,
    limiter,
    budgets,
    budgetWarnings,
    fairQueue,
    usageLog,
    costOf,
    runningCalls,
    bodyRoom,
    stored: storedPaths([
      ...createFileOperations({ ...lifecycle.files, clock }),
      ...createUploadOperations({ ...lifecycle.files, clock }),
      ...createBatchOperations(lifecycle.batches.batches),
      ...responses.operations,
      ...lifecycle.tuning.operations,
    ]),
    wake: lifecycle.hosting.wake,
    bind: responses.bindWith(lifecycle.files.files),
    watchServed: driftTap.served,
    traces: telemetry?.calls,
    upstream,
    credentials,
    health,
    load: createBackendLoad(clock),
    hedges: createHedgeBudget(),
    gathering: createGathering(clock),
    accounts: createAccountWatch({ alerts, clock, log }),
    ids,
    clock,
    chance,
    log,
  }

  const sweeping = repeat(
    { clock, onError: (error) => log.error('the sweep failed', { error: describeError(error) }) },
    SWEEP_INTERVAL_MS,
    async () => runningCalls.sweep(),
  )

  const told = toldBy(log)
  const timers: Timers = {
    'roll-up-usage': async () => {
      await rollUp.run()
      await rollUp.compact()
    },
    'follow-up-responses': told('responses in the background were metered', responses.followUp),
    'sweep-files': told('tenants’ files were swept', lifecycle.files.sweep),
    'replicate-tenants': async () => {
      const { whole, parts, failed } = await lifecycle.recovery.replicate()
      if (whole + parts + failed > 0) log.info('tenants were replicated', { whole, parts, failed })
    },
    'look-after-models': told('tuned models were looked after', lifecycle.hosting.lookAfter),
    'watch-shared-models': told('shared models were looked after', lifecycle.sharedModels.watch),
    'watch-drift': told('tuned models were watched for drift', lifecycle.drift.watch),
    'remove-expired-exports': told('expired exports were deleted', lifecycle.removeExpiredExports),
    'remove-old-budgets': told('rows of old budgets were deleted', () =>
      removeOldBudgets({
        table: tenantTable<Columns>(storage.table('budgets')),
        tenantIds: () => everyTenant(tenantDirectory),
        clock,
      }),
    ),
    'rotate-keys': told('rotations of accounts’ keys were begun', keyRotation.rotateDue),
    ...watching.timers,
  }

  return {
    serve: (request) => serve(serveDeps, request),
    controlPlane: {
      tenants,
      keys,
      backends,
      stamps,
      keyRotations: keyRotation.rotations,
      audit,
      queryUsage: usageOf,
      showLimits: createShowLimits({
        tenants,
        keys,
        windows: windowsIn(storage),
        budgets: budgetsIn(storage),
        spentByLog,
        clock,
      }),
      ...lifecycle.controlPlane,
      ...watching.controlPlane,
      directories,
      members,
      publicUrl: config.publicUrl,
      version,
      health: assembleHealth({
        rows: platformTable(storage.table('tenants')),
        usageLog,
        backends,
        standings: health,
        reachVault: wrappingKey.reach,
        signIn: config.entra && { authority: config.entra.authority, http: smallHttp },
        isStopping: () => runningCalls.isClosing,
        instanceId,
        version,
        clock,
      }),
      ids,
      clock,
    },
    handle: createHandle({
      authenticator,
      failedAttempts,
      operators: createOperators({
        tokens: config.operatorTokens,
        directory: operatorDirectory(config.entra?.platformDirectoryId, entra),
      }),
      snapshots,
      auditRequest: createAuditRequest({ audit, snapshots, log }),
      idempotency: createIdempotency({ clock, chance, secret: config.keyPepper }),
      tenantRows: tenantTable(storage.table('idempotency')),
      platformRows: platformTable(storage.table('idempotency')),
      isStopping: () => runningCalls.isClosing,
      traces: telemetry?.requests,
      clock,
      chance,
      log,
    }),
    timers: tracedTimers(timers, telemetry?.requests),
    checklists: [...lifecycle.checklists, registered(keyRotation.checklist, { log, alerts })],
    batchBeginnings: lifecycle.batches.beginnings,
    tuningBeginnings: lifecycle.tuning.beginnings,
    sharedModelBeginnings: lifecycle.sharedModels.beginnings,
    hostingBeginnings: lifecycle.hosting.beginnings,
    exportArchive: { ...lifecycle.controlPlane, clock },
    start: async () => {
      await storage.ensure(allStorageNeeds)
      await watching.start()
    },
    stop: async () => {
      await sweeping.stop()
      await stopCalls({ runningCalls, fairQueue, upstream, log })
      const closingDrift = driftTap
        .close()
        .catch((error: unknown) => log.warn('drift could not be written', { error: describeError(error) }))
      const closings = [usageLog, lateUsage, limiter, budgets, watching].map((one) => one.close())
      await Promise.all([closingDrift, ...closings])
      await telemetry?.close()
      await Promise.all([upstream.close(), smallHttp.close()])
    },
  }
}

function operatorDirectory(id: string | undefined, entra: EntraCallers | undefined) {
  return id !== undefined && entra ? { id, claimsOf: entra.claimsOf } : undefined
}
