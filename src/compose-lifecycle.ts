import type { Directories } from './access/directories'
import type { Keys } from './access/keys'
import type { Members } from './access/members'
import { createAlertReceivers } from './alerts/alert-receivers'
import { createAlerts, type Alerts } from './alerts/alerts'
import type { AuditLog } from './audit/audit-log'
import type { SecretStore } from './azure/secret-store'
import type { Chance } from './base/chance'
import type { Clock } from './base/clock'
import type { IdMaker } from './base/ids'
import type { WrappingKey } from './base/wrapping-key'
import type { Log } from './base/log'
import type { Checklist } from './checklists/checklist'
import { createRunStep } from './checklists/run-step'
import type { Config } from './config'
import { createSealer } from './encryption/create-sealer'
import { createSealedRecords } from './encryption/sealed-records'
import { createTenantKeys } from './encryption/tenant-keys'
import type { PriceBook } from './metering/price-book'
import type { Backends } from './routing/backends'
import { movingChecklist, placeInPlatformAccount } from './moving/moving-checklist'
import { rotationChecklist } from './moving/rotation-checklist'
import { createCertificateSigner } from './offboarding/certificate'
import { exportFiles } from './offboarding/export-files'
import { createExporter } from './offboarding/exporter'
import { offboardingChecklist } from './offboarding/offboarding-checklist'
import { createOffboardings } from './offboarding/offboardings'
import { removeExpiredExports } from './offboarding/remove-expired-exports'
import { createSweep } from './offboarding/sweep'
import { tenantStores } from './offboarding/tenant-stores'
import { createCanaryKey } from './onboarding/canary'
import { createCredentialLinks } from './onboarding/credential-links'
import { onboardingChecklist } from './onboarding/onboarding-checklist'
import type { OnboardingDeps } from './onboarding/onboarding-deps'
import { createRegistrationGate } from './onboarding/registration-gate'
import { createRegistrationSettings } from './onboarding/registration-settings'
import { createRegistrationTokens } from './onboarding/registration-tokens'
import type { StorageAccount } from './storage/connect'
import { createPlaces } from './storage/places'
import { platformTable } from './storage/platform-table'
import { tenantTable } from './storage/tenant-table'
import type { Tenants } from './tenants/tenants'

export interface LifecycleParts {
  readonly config: Config
  readonly storage: StorageAccount
  readonly wrappingKey: WrappingKey
  readonly tenants: Tenants
  readonly keys: Keys
  readonly directories: Directories
  readonly members: Members
  readonly backends: Backends
  readonly secrets: SecretStore
  readonly audit: AuditLog
  readonly costOf: PriceBook['costOf']
  readonly queryUsage: OnboardingDeps['queryUsage']
  readonly ids: IdMaker
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

/** The part of the composition that brings tenants in, keeps what is theirs, moves them and lets them go. */
export function composeLifecycle(parts: LifecycleParts) {
  const { config, storage, wrappingKey, tenants, keys, directories, members, audit, queryUsage } = parts
  const { backends, secrets, ids, clock, chance, log } = parts
  const { publicUrl, graceMs } = { publicUrl: config.publicUrl, graceMs: config.offboardingGraceMs }
  const keyring = createTenantKeys({ table: tenantTable(storage.table('datakeys')), wrappingKey, clock, chance, log })
  const places = createPlaces({ storage, rows: tenantTable(storage.table('tenantplaces')), clock, log })
  const records = createSealedRecords({ data: places, sealer: createSealer({ keys: keyring, chance }) })
  const credentialLinks = createCredentialLinks({ records, clock, secret: config.keyPepper })
  const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })

  const onboarding = onboardingChecklist({
    ...parts,
    places,
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
    filesOf: (scope) => exportFiles({ tenants, keys, members, directories, audit, records, queryUsage, clock }, scope),
  })
  const offboarding = offboardingChecklist({
    tenants,
    offboardings,
    exporter,
    stores: tenantStores({ storage, places, directories, backends, secrets, keyring, tenants }),
    keyring,
    sweep: createSweep(storage),
    signer: certificateSigner,
    audit,
    publicUrl,
    graceMs,
    clock,
  })
  const moving = movingChecklist({ places, placeFor: placeInPlatformAccount, tenants, audit, clock })
  const rotation = rotationChecklist({ keyring, records, audit, clock })

  return {
    checklists: [
      registered(onboarding, { log, alerts }),
      registered(offboarding, { log, alerts }),
      registered(moving, { log, alerts }),
      registered(rotation, { log, alerts }),
    ],
    removeExpiredExports: () => removeExpiredExports({ offboardings, exporter }),
    /** What the control plane's triggers call of it. */
    controlPlane: {
      credentialLinks,
      registrationSettings: createRegistrationSettings(platformTable(storage.table('registrations'))),
      registrationTokens: createRegistrationTokens(config.keyPepper),
      registrationGate: createRegistrationGate(clock),
      alerts,
      keyring,
      offboardings,
      exporter,
      certificateSigner,
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
