import type { Keys } from '../access/keys'
import type { Alerts } from '../alerts/alerts'
import type { RemoveOldAlerts } from '../alerts/remove-old-alerts'
import type { SecretAges } from '../azure/secret-store'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { Orchestrations } from '../base/durable-steps'
import type { TenantId } from '../base/ids'
import type { Log } from '../base/log'
import type { WrappingKey } from '../base/wrapping-key'
import type { BudgetWarnings } from '../budgets/budget-warnings'
import { budgetsIn } from '../budgets/create-budget-keeper'
import type { SpentByLog } from '../budgets/true-up'
import type { TenantKeyring } from '../encryption/sealer'
import type { Notifications } from '../notifications/notice'
import type { ReconciliationStore } from '../reconciliation/reconciliation-store'
import type { StorageAccount } from '../storage/connect'
import { poisonQueue } from '../storage/dead-letters'
import type { Columns } from '../storage/partition-table'
import { platformTable } from '../storage/platform-table'
import { tenantTable } from '../storage/tenant-table'
import type { TenantSnapshot } from '../tenants/snapshot'
import { createHousekeepingStore } from './housekeeping-store'
import { createShowHousekeeping, type ShowHousekeeping } from './housekeeping-view'
import { createKeepHouse } from './keep-house'
import type { Purge } from './purge'
import { purgeDeadLetters } from './purge-dead-letters'
import { purgeIdempotency } from './purge-idempotency'
import { purgeOrchestrations } from './purge-orchestrations'
import { purgeReconciliation } from './purge-reconciliation'
import { purgeResolvedAlerts } from './purge-resolved-alerts'
import {
  ALERTS_KEPT_MS,
  DEAD_LETTERS_KEPT_MS,
  IDEMPOTENCY_KEPT_MS,
  ORCHESTRATIONS_KEPT_MS,
  RECONCILIATION_KEPT_MS,
} from './retention'
import { createWatchBudgets, type WatchBudgetsDeps } from './watch-budgets'
import { createWatchKeyExpiry } from './watch-key-expiry'
import { createWatchRotation, type HeldSecret } from './watch-rotation'

export interface HousekeepingParts {
  readonly storage: StorageAccount
  readonly keys: Pick<Keys, 'list'>
  readonly secrets: SecretAges
  readonly keyring: Pick<TenantKeyring, 'versions'>
  readonly wrappingKey: Pick<WrappingKey, 'wrap'>
  /** What the app's settings hold, whose age is looked at. */
  readonly held: readonly HeldSecret[]
  readonly pepper: string
  /** Queues whose triggers may fail, by their names in the account. */
  readonly queues: readonly string[]
  /** When an answer to a creation was begun, Unix milliseconds. */
  readonly begunAt: (columns: Columns) => number
  readonly removeOldAlerts: RemoveOldAlerts
  readonly freshen: WatchBudgetsDeps['freshen']
  readonly spentByLog: SpentByLog
  readonly budgetWarnings: Pick<BudgetWarnings, 'look'>
  readonly reconciliation: ReconciliationStore
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
  readonly notifications: Notifications
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

/** What looks after everything that grows old. */
export interface Housekeeping {
  /** For a timer; how much was removed. */
  readonly keepHouse: (orchestrations: Orchestrations) => Promise<number>
  /** For a timer; how many notices were handed over. */
  readonly watchKeyExpiry: () => Promise<number>
  /** For a timer; how many budgets were looked at. */
  readonly watchBudgets: () => Promise<number>
  /** For a timer; how many secrets are due. */
  readonly watchRotation: () => Promise<number>
  readonly show: ShowHousekeeping
}

export function assembleHousekeeping(parts: HousekeepingParts): Housekeeping {
  const { storage } = parts
  const store = createHousekeepingStore(platformTable(storage.table('housekeeping')))
  const purges = purgesOf(parts)
  return {
    keepHouse: createKeepHouse({ ...parts, purges, store }),
    watchKeyExpiry: createWatchKeyExpiry(parts),
    watchBudgets: createWatchBudgets({ ...parts, budgets: budgetsIn(storage), warnings: parts.budgetWarnings }),
    watchRotation: createWatchRotation({ ...parts, store }),
    show: createShowHousekeeping({ ...parts, purges, store }),
  }
}

function purgesOf(parts: HousekeepingParts): readonly Purge[] {
  const { storage, queues, clock } = parts
  const idempotency = storage.table('idempotency')
  return [
    purgeIdempotency({
      ...parts,
      rows: tenantTable<Columns>(idempotency),
      platformRows: platformTable<Columns>(idempotency),
      keptMs: IDEMPOTENCY_KEPT_MS,
    }),
    purgeOrchestrations({ keptMs: ORCHESTRATIONS_KEPT_MS, clock }),
    purgeResolvedAlerts({ ...parts, keptMs: ALERTS_KEPT_MS }),
    purgeDeadLetters({ queues: queues.map((name) => poisonQueue(storage, name)), keptMs: DEAD_LETTERS_KEPT_MS, clock }),
    purgeReconciliation({ store: parts.reconciliation, keptMs: RECONCILIATION_KEPT_MS, clock }),
  ]
}
