import type { TenantId } from '../base/ids'
import type { BudgetName, Budgets } from '../tenants/budget'
import type { Amount } from './amount'
import type { BudgetSubject } from './budget-store'

/** What is asked of the budgets for one call. */
export interface ReservationRequest {
  readonly tenantId: TenantId
  /** The tenant, and its key and alias where they have budgets of their own; one without any costs nothing. */
  readonly subjects: readonly { readonly subject: BudgetSubject; readonly budgets: Budgets }[]
  /** Percent of a budget at which its tenant is warned. */
  readonly warnPercents: readonly number[]
  /** Prompt estimate + allowed output, and its price; 0 micro-USD where the model has none. */
  readonly cost: Amount
}

export type ReservationResult = { readonly kind: 'reserved'; readonly reservation: Reservation } | BudgetRefusal

/** The cost is more than is left of the budget, and no wait within its period is sure to help. */
export interface BudgetRefusal {
  readonly kind: 'refused'
  readonly subject: BudgetSubject
  readonly budget: BudgetName
  readonly limit: number
  readonly used: number
  /** By calls under way, and leased to instances for calls to come. */
  readonly reserved: number
  /** By this call. */
  readonly needed: number
  readonly renewsAtMs: number
}

export interface Reservation {
  /** Exactly once, on every exit (I6): replaces what was reserved by what was used, even past the budget. */
  settle(used: Amount): void
}

export interface BudgetKeeper {
  /**
   * Answers at once while this instance's leases last (I12), and where no budget stops; else waits for one shared write.
   * Throws `storage_unavailable` when the row could not be changed in time; nothing is reserved then.
   */
  reserve(request: ReservationRequest): ReservationResult | Promise<ReservationResult>
  /** Reports what was spent and gives back what was not; for a clean stop. */
  close(): Promise<void>
}
