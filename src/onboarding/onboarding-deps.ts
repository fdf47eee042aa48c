import type { Directories } from '../access/directories'
import type { Keys } from '../access/keys'
import type { Members } from '../access/members'
import type { AlertReceivers } from '../alerts/alert-receivers'
import type { AuditLog } from '../audit/audit-log'
import type { SecretStore } from '../azure/secret-store'
import type { Clock } from '../base/clock'
import type { IdMaker } from '../base/ids'
import type { Problem } from '../base/problem'
import type { TenantKeyring } from '../encryption/sealer'
import type { PriceBook } from '../metering/price-book'
import type { DataPlaces } from '../provisioning/data-places'
import type { TenantModels } from '../provisioning/tenant-models'
import type { Places } from '../storage/places'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { Tenants } from '../tenants/tenants'
import type { UsageReport } from '../usage/query-usage'
import type { CanaryKey } from './canary'
import type { CredentialLinks } from './credential-links'

/** What the steps work with. */
export interface OnboardingDeps {
  readonly tenants: Tenants
  readonly keys: Keys
  readonly directories: Directories
  readonly members: Members
  readonly places: Places
  readonly dataPlaces: DataPlaces
  readonly models: TenantModels
  readonly secrets: SecretStore
  readonly keyring: TenantKeyring
  readonly credentialLinks: CredentialLinks
  readonly limitRows: Pick<TenantTable<Columns>, 'removeAll'>
  readonly alertReceivers: AlertReceivers
  readonly audit: AuditLog
  readonly costOf: PriceBook['costOf']
  readonly queryUsage: (scope: TenantScope, query: Readonly<Record<string, string>>) => Promise<UsageReport | Problem>
  readonly canaryKey: CanaryKey
  /** Where clients reach the platform, without a slash at the end. */
  readonly publicUrl: string
  readonly ids: IdMaker
  readonly clock: Clock
}
