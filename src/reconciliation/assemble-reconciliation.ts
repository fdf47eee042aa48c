import type { Alerts } from '../alerts/alerts'
import type { Arm } from '../azure/arm'
import type { Clock } from '../base/clock'
import type { Log } from '../base/log'
import type { Backends } from '../routing/backends'
import type { Stamps } from '../stamps/stamps'
import type { StorageAccount } from '../storage/connect'
import { ourCounts, type OurCountsDeps } from './our-counts'
import { createReconcileUsage } from './reconcile-usage'
import { createReconciliationStore, type ReconciliationStore } from './reconciliation-store'
import { createShowReconciliation, type ShowReconciliation } from './reconciliation-view'

export interface ReconciliationParts extends OurCountsDeps {
  readonly storage: StorageAccount
  readonly arm: Pick<Arm, 'get'>
  readonly backends: Pick<Backends, 'list' | 'all'>
  readonly stamps: Pick<Stamps, 'list'>
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
  readonly clock: Clock
  readonly log: Log
}

/** What compares the platform's figures with the provider's, and shows it. */
export interface Reconciliation {
  readonly store: ReconciliationStore
  /** For a timer; how many rows were written. */
  readonly reconcile: () => Promise<number>
  readonly show: ShowReconciliation
}

export function assembleReconciliation(parts: ReconciliationParts): Reconciliation {
  const store = createReconciliationStore(parts.storage)
  return {
    store,
    reconcile: createReconcileUsage({ ...parts, store, ourCounts: (hourMs) => ourCounts(parts, hourMs) }),
    show: createShowReconciliation({ ...parts, store }),
  }
}
