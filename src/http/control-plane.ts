import type { Directories } from '../access/directories'
import type { Keys } from '../access/keys'
import type { Members } from '../access/members'
import type { Alerts } from '../alerts/alerts'
import type { AuditLog } from '../audit/audit-log'
import type { SecretStore } from '../azure/secret-store'
import type { Capacity } from '../capacity/capacity'
import type { Clock } from '../base/clock'
import type { Billing } from '../billing/assemble-billing'
import type { ShowLimits } from '../budgets/limits-report'
import type { IdMaker } from '../base/ids'
import type { Problem } from '../base/problem'
import type { Datasets } from '../datasets/datasets'
import type { TenantKeyring } from '../encryption/sealer'
import type { ModelDrift } from '../drift/model-drift'
import type { ShowHousekeeping } from '../housekeeping/housekeeping-view'
import type { Evaluations } from '../evaluation/evaluations'
import type { KeyRotations } from '../key-rotation/key-rotations'
import type { LinkUploads } from '../files/link-uploads'
import type { CredentialLinks } from '../onboarding/credential-links'
import type { RegistrationGate } from '../onboarding/registration-gate'
import type { RegistrationSettingsStore } from '../onboarding/registration-settings'
import type { RegistrationTokens } from '../onboarding/registration-tokens'
import type { CertificateSigner } from '../offboarding/certificate'
import type { Exporter } from '../offboarding/exporter'
import type { Offboardings } from '../offboarding/offboardings'
import type { Backends } from '../routing/backends'
import type { Promotions } from '../registry/promotions'
import type { Registry } from '../registry/registry'
import type { DeadLetters } from '../notifications/dead-letters'
import type { SubscriptionDesk } from '../notifications/subscription-desk'
import type { ShowReconciliation } from '../reconciliation/reconciliation-view'
import type { Recovery } from '../recovery/assemble-recovery'
import type { Sla } from '../sla/sla'
import type { SharedModelDeps } from '../shared-models/shared-model-deps'
import type { Stamps } from '../stamps/stamps'
import type { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import type { TuningJobs } from '../tuning/tuning-jobs'
import type { NoisyNeighbours } from '../neighbours/noisy-neighbours'
import type { UsageDesk } from '../usage/usage-desk'
import type { Health } from '../health/assemble-health'

/** What the control plane's triggers call. */
export interface ControlPlane {
  readonly tenants: Tenants
  readonly keys: Keys
  readonly backends: Backends
  readonly stamps: Stamps
  /** Of the keys of model accounts. */
  readonly keyRotations: KeyRotations
  readonly secrets: SecretStore
  readonly audit: AuditLog
  /** The query as it was sent; whoever answers it parses it. */
  readonly queryUsage: (scope: TenantScope, query: Readonly<Record<string, string>>) => Promise<object | Problem>
  readonly usageDesk: UsageDesk
  readonly showLimits: ShowLimits
  /** Prices, plans, invoices, margins. */
  readonly billing: Billing
  /** Of this instance. */
  readonly health: Health
  /** Of the app. */
  readonly version: string
  readonly credentialLinks: CredentialLinks
  readonly registrationSettings: RegistrationSettingsStore
  readonly registrationTokens: RegistrationTokens
  readonly registrationGate: RegistrationGate
  readonly alerts: Alerts
  readonly capacity: Capacity
  readonly subscriptions: SubscriptionDesk
  readonly deadLetters: DeadLetters
  readonly directories: Directories
  readonly members: Members
  readonly keyring: TenantKeyring
  readonly offboardings: Offboardings
  readonly exporter: Exporter
  readonly certificateSigner: CertificateSigner
  /** Tenants' tuned models. */
  readonly registry: Registry
  readonly promotions: Promotions
  readonly evaluations: Evaluations
  readonly tuningJobs: TuningJobs
  /** Models that are trained on examples of several tenants, and what tenants consent to. */
  readonly sharedModels: SharedModelDeps
  readonly datasets: Datasets
  /** Files that clients write by a link. */
  readonly linkUploads: LinkUploads
  readonly modelDrift: ModelDrift
  /** Replicas in the paired region. */
  readonly recovery: Recovery
  /** The platform's figures beside the provider's. */
  readonly showReconciliation: ShowReconciliation
  /** What is kept how long, what would go, and which secrets are due. */
  readonly showHousekeeping: ShowHousekeeping
  /** Who is in whose way. */
  readonly noisyNeighbours: NoisyNeighbours
  /** Objectives, incidents, reports, maintenances. */
  readonly sla: Sla
  /** Where clients reach the platform, without a slash at the end. */
  readonly publicUrl: string
  readonly ids: IdMaker
  readonly clock: Clock
}
