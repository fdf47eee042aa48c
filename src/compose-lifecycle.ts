/** The part of the composition that knows tenants for longer than a call; in one file since it is one list, in the order in which one needs the other. */
import type { Directories } from './access/directories'
import type { Keys } from './access/keys'
import type { Members } from './access/members'
import { createAlertReceivers } from './alerts/alert-receivers'
import type { Alerts } from './alerts/alerts'
import type { AuditLog } from './audit/audit-log'
import type { TokenCredential } from '@azure/core-auth'
import { createArm } from './azure/arm-client'
import type { BackendCredentials } from './azure/backend-credentials'
import type { SecretStore } from './azure/secret-store'
import type { SmallHttp } from './azure/small-http'
import type { UpstreamHttp } from './azure/upstream-http'
import type { Chance } from './base/chance'
import type { Clock } from './base/clock'
import type { IdMaker, InstanceId, TenantId } from './base/ids'
import type { WrappingKey } from './base/wrapping-key'
import type { Log } from './base/log'
import { assembleBatches, type BatchParts } from './batches/assemble-batches'
import { createBillingRows } from './billing/billing-rows'
import type { Checklist } from './checklists/checklist'
import type { Removal } from './checklists/removal'
import { createRunStep } from './checklists/run-step'
import type { Config } from './config'
import { assembleDatasets } from './datasets/assemble-datasets'
import { createSealer } from './encryption/create-sealer'
import { createSealedRecords } from './encryption/sealed-records'
import { createTenantKeys } from './encryption/tenant-keys'
import type { CallModel } from './evaluation/ask-model'
import { assembleDrift } from './drift/assemble-drift'
import { tinyldLanguages } from './drift/tinyld-languages'
import { createEvaluateStage } from './evaluation/evaluate-stage'
import { evaluationChecklist } from './evaluation/evaluation-checklist'
import { createEvaluationStore } from './evaluation/evaluation-store'
import { createEvaluations, type Evaluations } from './evaluation/evaluations'
import { createGateStage } from './evaluation/gate-stage'
import { assembleFiles } from './files/assemble-files'
import { linkUploadChecklist } from './files/link-upload-checklist'
import type { HostingPricesAt } from './hosting/hosting-prices'
import type { TrainingPricesAt } from './datasets/training-prices'
import type { PriceBook } from './metering/price-book'
import type { Backends } from './routing/backends'
import { movingChecklist } from './moving/moving-checklist'
import { rotationChecklist } from './moving/rotation-checklist'
import { createSubscriptions } from './notifications/subscriptions'
import { createCertificateSigner } from './offboarding/certificate'
import { exportFiles } from './offboarding/export-files'
import { createExporter } from './offboarding/exporter'
import { offboardingChecklist } from './offboarding/offboarding-checklist'
import { createOffboardings } from './offboarding/offboardings'
import { removeExpiredExports } from './offboarding/remove-expired-exports'
import { createSweep, sweepAlso } from './offboarding/sweep'
import { tenantStores, type TenantStores } from './offboarding/tenant-stores'
import { createCanaryKey } from './onboarding/canary'
import { createCredentialLinks } from './onboarding/credential-links'
import { onboardingChecklist } from './onboarding/onboarding-checklist'
import type { OnboardingDeps } from './onboarding/onboarding-deps'
import { createRegistrationGate } from './onboarding/registration-gate'
import { createRegistrationSettings } from './onboarding/registration-settings'
import { createRegistrationTokens } from './onboarding/registration-tokens'
import { createDataPlaces } from './provisioning/data-places'
import { createTenantStorageAccounts } from './provisioning/storage-account'
import { createTenantModels } from './provisioning/tenant-models'
import { createAliasFigures } from './registry/alias-figures'
import { promotionChecklist } from './registry/promotion-checklist'
import { createPromotions } from './registry/promotions'
import { createRouteStage } from './registry/route-stage'
import type { TenantResponses } from './responses/tenant-responses'
import type { Stamps } from './stamps/stamps'
import { connectStorage, type StorageAccount, type StorageConnection } from './storage/connect'
import { createPlaces } from './storage/places'
import { platformTable } from './storage/platform-table'
import { connectTenantAccounts } from './storage/tenant-accounts'
import type { TenantScope } from './storage/tenant-scope'
import { tenantTable, type Columns } from './storage/tenant-table'
import type { Tenants } from './tenants/tenants'
import { createRegistry } from './registry/registry'
import { assembleRecovery } from './recovery/assemble-recovery'
import { createReplica } from './recovery/replica'
import { replicaStore } from './recovery/replica-store'
import { withReplicaShredded } from './recovery/shredding-keyring'
import { assembleHosting, assembleMeters } from './hosting/assemble-hosting'
import { assembleSharedModels } from './shared-models/assemble-shared-models'
import { assembleTuning } from './tuning/assemble-tuning'
import { everyUsageRow } from './usage/every-usage-row'

export interface LifecycleParts extends Pick<
  BatchParts,
  'lateUsage' | 'spentByLog' | 'budgetWarnings' | 'batchCostOf' | 'tenantOf'
> {
  readonly config: Config
  readonly storage: StorageAccount
  readonly connection: StorageConnection
  readonly wrappingKey: WrappingKey
  readonly tenants: Tenants
  readonly keys: Keys
  readonly directories: Directories
  readonly members: Members
  readonly backends: Backends
  readonly secrets: SecretStore
  readonly alerts: Alerts
  readonly stamps: Stamps
  /** Whom the platform is to Azure, and how it reaches models. */
  readonly identity: TokenCredential
  readonly smallHttp: SmallHttp
  readonly upstream: UpstreamHttp
  readonly credentials: BackendCredentials
  readonly audit: AuditLog
  readonly costOf: PriceBook['costOf']
  /** What hosting and training cost at a time. */
  readonly hostingPricesAt: HostingPricesAt
  readonly trainingPricesAt: TrainingPricesAt
  readonly responses: TenantResponses
  /** As a tenant's own calls are served, for those that the platform makes for it. */
  readonly callModel: CallModel
  readonly queryUsage: OnboardingDeps['queryUsage']
  /** For timers that look after every tenant. */
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly instanceId: InstanceId
  readonly ids: IdMaker
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

/** The part of the composition that brings tenants in, keeps what is theirs, moves them and lets them go. */
export function composeLifecycle(parts: LifecycleParts) {
  const { config, storage, wrappingKey, tenants, keys, directories, members, audit, queryUsage } = parts
  const { secrets, alerts, ids, clock, chance, log } = parts
  const { publicUrl, graceMs } = { publicUrl: config.publicUrl, graceMs: config.offboardingGraceMs }
  const paired = composeReplica(parts)
  const ownKeyring = createTenantKeys({
    table: tenantTable(storage.table('datakeys')),
    wrappingKey,
    clock,
    chance,
    log,
  })
  const keyring = paired ? { ...ownKeyring, ...withReplicaShredded(ownKeyring, paired.replica) } : ownKeyring
  const { places, dataPlaces, models, arm, placement } = composePlaces(parts)
  const records = createSealedRecords({ data: places, sealer: createSealer({ keys: keyring, chance }) })
  const files = assembleFiles({ ...parts, records, places, http: parts.smallHttp })
  const datasets = assembleDatasets({
    records,
    files: files.files,
    pricesAt: parts.trainingPricesAt,
    ids,
    clock,
  })
  const batches = assembleBatches({
    ...parts,
    records,
    files: files.files,
    accountFiles: files.accounts,
    http: parts.smallHttp,
    backendsAnew: parts.backends.anew,
    bounds: config.batches,
  })
  const credentialLinks = createCredentialLinks({ records, clock, secret: config.keyPepper })

  const registry = createRegistry(records)
  const promotions = createPromotions({
    records,
    registry,
    tenants,
    backendOf: async (id) => (await parts.backends.read(id))?.backend,
    figuresOf: createAliasFigures((scope, query) => everyUsageRow((page) => queryUsage(scope, page), query)),
    clock,
  })
  const evaluations: Evaluations = createEvaluations({
    store: createEvaluationStore(records),
    registry,
    files: files.files,
    backends: parts.backends.all,
    tenantOf: parts.tenantOf,
    call: parts.callModel,
    wake: async (scope, { id }, by) => tuning.deployments.ensure(scope, id, undefined, by),
    clock,
  })
  const { rows: meterRows, meters } = assembleMeters(parts)
  const tuning = assembleTuning({
    ...parts,
    meters,
    records,
    registry,
    promotions,
    files: files.files,
    datasets: datasets.datasets,
    checkedFiles: datasets.checkedFiles,
    outputs: files.accounts,
    http: parts.smallHttp,
    arm,
    placement,
    alerts,
    stages: {
      evaluate: createEvaluateStage(evaluations),
      gate: createGateStage({ registry }),
      route: createRouteStage(promotions),
    },
    bounds: config.tuning,
  })

  const hosting = assembleHosting({
    ...parts,
    registry,
    arm,
    rows: meterRows,
    meters,
    deployments: tuning.deployments,
    usageOf: queryUsage,
    idleMs: config.hosting.idleMs,
    // As long as what is moved is left to its calls.
    drainMs: config.movingDrainMs,
  })

  const drift = assembleDrift({
    ...parts,
    records,
    registry,
    files: files.files,
    datasets: datasets.datasets,
    tuningJobs: tuning.jobs,
    alerts,
    callForTenant: parts.callModel,
    languages: tinyldLanguages,
    flushMs: config.drift.flushMs,
  })

  const sharedModels = assembleSharedModels({
    ...parts,
    records,
    keyring,
    files: files.files,
    tuningJobs: tuning.jobs,
    alerts,
    emptyOwner: (owner) => emptied(stores, owner),
    bounds: { ...config.sharedModels, pollMs: config.tuning.pollMs },
  })

  const onboarding = onboardingChecklist({
    ...parts,
    places,
    dataPlaces,
    models,
    keyring,
    credentialLinks,
    limitRows: tenantTable(storage.table('limits')),
    alertReceivers: createAlertReceivers(tenantTable(storage.table('alerts'))),
    canaryKey: createCanaryKey({ tenants, keys, ids, clock }),
    publicUrl,
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
    wrappingKey,
    validMs: config.exportValidMs,
    clock,
    chance,
    filesOf: (scope) =>
      exportFiles(
        {
          tenants,
          keys,
          members,
          directories,
          audit,
          records,
          files: files.files,
          queryUsage,
          billing: createBillingRows({
            tenantRows: tenantTable(storage.table('billing')),
            platformRows: platformTable(storage.table('billing')),
          }),
          // Its contact, which counts as one where there are none, stands in its profile.
          subscriptions: createSubscriptions({ records, keyring, contactOf: async () => undefined }),
          clock,
        },
        scope,
      ),
  })
  const stores = tenantStores({
    storage,
    places,
    dataPlaces,
    directories,
    models,
    secrets,
    keyring,
    fileCopies: files.copies,
    batches: batches.ofTenant,
    responses: parts.responses,
    tuning: tuning.ofTenant,
    sharedModels: sharedModels.ofTenant,
    tenants,
    elsewhere: paired ? [replicaStore(paired.replica)] : [],
  })
  const offboarding = offboardingChecklist({
    tenants,
    offboardings,
    exporter,
    stores,
    keyring,
    sweep: sweepAlso(createSweep(storage), paired && createSweep(paired.account)),
    signer: certificateSigner,
    audit,
    publicUrl,
    graceMs,
    clock,
  })
  const recovery = assembleRecovery({
    ...parts,
    replica: paired?.replica,
    bounds: config.recovery ?? { goneKeptMs: 0, lagMsMax: 0 },
    places,
    records,
    registry,
    alerts,
    files: files.files,
    deployments: tuning.deployments,
    tuningJobs: tuning.jobs,
    arm,
    pollMs: config.tuning.pollMs,
  })
  const { movingDrainMs: drainMs } = config
  const moving = movingChecklist({ places, dataPlaces, models, secrets, tenants, audit, drainMs, clock })
  const rotation = rotationChecklist({ keyring, records, audit, clock })

  return {
    records,
    keyring,
    files,
    batches,
    tuning,
    sharedModels,
    hosting,
    drift,
    recovery,
    checklists: [
      registered(onboarding, { log, alerts }),
      registered(offboarding, { log, alerts }),
      registered(moving, { log, alerts }),
      registered(rotation, { log, alerts }),
      registered(batches.checklist, { log, alerts }),
      registered(promotionChecklist(promotions), { log, alerts }),
      registered(evaluationChecklist(evaluations), { log, alerts }),
      registered(tuning.checklist, { log, alerts }),
      ...sharedModels.checklists.map((checklist) => registered(checklist, { log, alerts })),
      registered(datasets.checklist, { log, alerts }),
      registered(linkUploadChecklist(files.linkUploads), { log, alerts }),
      registered(hosting.checklist, { log, alerts }),
      registered(recovery.restore, { log, alerts }),
      registered(recovery.copy, { log, alerts }),
      registered(recovery.rebuild, { log, alerts }),
    ],
    removeExpiredExports: () => removeExpiredExports({ offboardings, exporter }),
    /** What the control plane's triggers call of it. */
    controlPlane: {
      credentialLinks,
      registrationSettings: createRegistrationSettings(platformTable(storage.table('registrations'))),
      registrationTokens: createRegistrationTokens(config.keyPepper),
      registrationGate: createRegistrationGate(clock),
      alerts,
      secrets,
      keyring,
      offboardings,
      exporter,
      certificateSigner,
      registry,
      promotions,
      evaluations,
      tuningJobs: tuning.jobs,
      sharedModels: sharedModels.deps,
      datasets: datasets.datasets,
      linkUploads: files.linkUploads,
      modelDrift: drift.ofModel,
      recovery,
    },
  }
}

/** One step towards nothing of a tenant's being left: of one that the platform owns, whose certificate nobody waits for. */
async function emptied({ data, dataKey, record }: TenantStores, owner: TenantScope): Promise<Removal> {
  for (const store of [...data, dataKey, record]) {
    const removal = await store.remove(owner)
    if (removal.kind === 'not-yet') return removal
  }
  return { kind: 'removed' }
}

/** The account in the paired region, where one is set up; reached as the first one is, with the same names in it. */
function composeReplica({ config: { recovery, storagePrefix }, identity }: LifecycleParts) {
  if (!recovery) return undefined
  const { storage, region } = recovery
  const connection: StorageConnection = storage.kind === 'identity' ? { ...storage, credential: identity } : storage
  const account = connectStorage(connection, storagePrefix)
  return { account, replica: createReplica({ account, region }) }
}

/** Where tenants' data and models are, and what Azure makes for them. */
function composePlaces(parts: LifecycleParts) {
  const { config, storage, connection, stamps, backends, identity, secrets, upstream, credentials, clock, log } = parts
  const arm = createArm({ ...config.arm, identity, http: parts.smallHttp })
  const placement = { rows: tenantTable<Columns>(storage.table('tenants')), stamps, backends }
  const usesKeys = connection.kind === 'connection-string'
  const accounts = createTenantStorageAccounts({ ...placement, arm, usesKeys })
  const places = createPlaces({
    storage,
    tenantAccount: connectTenantAccounts({
      platform: connection,
      prefix: config.storagePrefix,
      keyOf: accounts.keyOf,
      clock,
      log,
    }),
    rows: tenantTable(storage.table('tenantplaces')),
    clock,
    log,
  })
  return {
    arm,
    placement,
    places,
    dataPlaces: createDataPlaces(places, accounts),
    models: createTenantModels({ ...placement, arm, secrets, identity, upstream, credentials }),
  }
}

/** An undo that failed for good is an operator's business. */
export const registered = <Input>(checklist: Checklist<Input>, { log, alerts }: { log: Log; alerts: Alerts }) => ({
  checklist,
  runStep: createRunStep(checklist, {
    log,
    alert: ({ checklist: name, operationId, tenantId, step, fault }) =>
      alerts.raise({
        id: `undo-failed/${operationId}/${step}`,
        kind: 'undo-failed',
        severity: 'critical',
        tenantId,
        title: `The ${name} of ${tenantId} left something behind`,
        detail: `Undoing the step "${step}" of ${operationId} failed for good (${fault.code}): ${fault.detail}`,
      }),
  }),
})
