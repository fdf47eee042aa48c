import type { TokenCredential } from '@azure/core-auth'
import type { Keys } from './access/keys'
import { assembleBilling } from './billing/assemble-billing'
import type { BillingParts } from './billing/assemble-billing'
import { composeHousekeeping } from './compose-housekeeping'
import { assembleCapacity } from './capacity/assemble-capacity'
import type { Config } from './config'
import type { Alerts } from './alerts/alerts'
import type { AuditLog } from './audit/audit-log'
import type { SecretAges } from './azure/secret-store'
import type { SmallHttp } from './azure/small-http'
import type { Chance } from './base/chance'
import type { Clock } from './base/clock'
import type { IdMaker, InstanceId, TenantId } from './base/ids'
import { toldBy, type Log } from './base/log'
import type { BudgetWarnings } from './budgets/budget-warnings'
import type { WrappingKey } from './base/wrapping-key'
import type { SealedRecords } from './encryption/sealed-records'
import type { TenantKeyring } from './encryption/sealer'
import type { Timers } from './functions/timers'
import type { ControlPlane } from './http/control-plane'
import { assembleNeighbours } from './neighbours/assemble-neighbours'
import { assembleNotifications } from './notifications/assemble-notifications'
import type { Backends } from './routing/backends'
import { assembleSla } from './sla/assemble-sla'
import type { Stamps } from './stamps/stamps'
import type { StorageAccount } from './storage/connect'
import type { TenantSnapshot } from './tenants/snapshot'
import type { Tenants } from './tenants/tenants'
import { assembleUsage } from './usage/assemble-usage'
import type { RollUp } from './usage/run-roll-up'

/** What the rest of the app has made that watching needs. */
export interface WatchingParts {
  readonly config: Config
  readonly storage: StorageAccount
  readonly rollUp: RollUp
  readonly records: SealedRecords
  readonly keyring: TenantKeyring
  readonly budgetWarnings: BudgetWarnings
  readonly alerts: Alerts
  readonly audit: AuditLog
  readonly tenants: Tenants
  readonly backends: Backends
  readonly stamps: Stamps
  readonly keys: Keys
  readonly secrets: SecretAges
  readonly wrappingKey: WrappingKey
  /** Whom the platform is to Azure. */
  readonly identity: TokenCredential
  readonly smallHttp: SmallHttp
  readonly ownPrices: BillingParts['ownPrices']
  readonly leftAt: BillingParts['leftAt']
  readonly tenantIdsAfter: BillingParts['tenantIds']
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly instanceId: InstanceId
  readonly ids: IdMaker
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

/**
 * What is told of the usage log: sums, bills, objectives, forecasts, alerts. Nothing here stands in the way of a call; the data
 * path knows of it only what it is given as a snapshot.
 */
export function composeWatching(parts: WatchingParts) {
  const { config } = parts
  const notifications = assembleNotifications({ ...parts, settings: config.notifications, publicUrl: config.publicUrl })
  const usage = assembleUsage(parts)
  const { usageReader, tenantsWithUsage, recentUsage } = usage
  const sla = assembleSla({
    ...parts,
    reader: usageReader,
    tenantsWithUsage,
    recentUsage,
    backends: parts.backends.all,
    notifications: notifications.notifications,
  })
  const neighbours = assembleNeighbours({ ...parts, usage: usageReader, recentUsage })
  const capacity = assembleCapacity({ ...parts, usage: usageReader, tenantsWithUsage })
  const housekeeping = composeHousekeeping({
    ...parts,
    tenantsWithUsage,
    readUsage: (scope, span) => usageReader.read(scope, span, 'hour'),
    notifications: notifications.notifications,
  })
  const {
    billing,
    timers: billingTimers,
    keepPrices,
  } = assembleBilling({
    ...parts,
    usage: usageReader,
    tenantsWithUsage,
    notifications: notifications.notifications,
    tenantIds: parts.tenantIdsAfter,
  })
  const prices = keepPrices()
  const told = toldBy(parts.log)

  return {
    usageReader,
    tenantsWithUsage,
    wakeNotifications: notifications.wake,
    /** Before the first call: it is priced when it ends. */
    start: () => prices.refresh(),
    close: async () => {
      await prices.stop()
      await notifications.close()
    },
    controlPlane: {
      usageDesk: usage.desk,
      ...housekeeping.controlPlane,
      sla: sla.controlPlane,
      billing,
      noisyNeighbours: neighbours.noisyNeighbours,
      capacity,
      subscriptions: notifications.desk,
      deadLetters: notifications.deadLetters,
    } satisfies Partial<ControlPlane>,
    timers: {
      'report-usage': told('usage reports were written', usage.writeReports),
      'keep-usage-log': told('blobs of the usage log were archived or deleted', usage.keepLog),
      ...housekeeping.timers,
      ...billingTimers,
      'watch-neighbours': async () => void (await neighbours.watch()),
      'forecast-capacity': async () => void (await capacity.look()),
      'watch-slas': async () => void (await sla.watch()),
      'freeze-sla-reports': async () => void (await sla.freeze()),
      'send-notifications': async () => void (await notifications.send()),
    } satisfies Partial<Timers>,
  }
}
