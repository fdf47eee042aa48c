import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import { fromJsonColumns, toJsonColumns } from '../storage/json-columns'
import type { TenantScope } from '../storage/tenant-scope'
import type { Columns, TenantTable } from '../storage/tenant-table'
import type { BillingRows } from './billing-rows'
import { dayAfter, dayOf, later, periodOf } from './calendar'
import { withPlan, type DatedPlan } from './plan'

/** What each tenant pays, from which day on. */
export interface Plans {
  read(scope: TenantScope): Promise<StoredPlans>
  /**
   * From its day on, until another one. `expects` is asked about the version that would be changed. A day in a month that has its
   * invoice is refused: what was billed stays.
   */
  set(scope: TenantScope, plan: DatedPlan, expects: (version: number) => boolean): Promise<StoredPlans | Problem>
}

export interface StoredPlans {
  /** In order of days; empty where none was ever set. */
  readonly plans: readonly DatedPlan[]
  /** 0 where none was ever set; in quotes the ETag. */
  readonly version: number
}

const ROW = 'plans'
const DAYS_AHEAD_MAX = 366

const changedMeanwhile = new Problem(
  'precondition_failed',
  'The plans were changed since the version in If-Match. Read them again and repeat the change on what you find.',
)

export function createPlans({
  rows,
  billing,
  clock,
}: {
  rows: TenantTable<Columns>
  billing: Pick<BillingRows, 'invoices' | 'noteBilled'>
  clock: Clock
}): Plans {
  const read = async (scope: TenantScope) => {
    const row = await rows.get(scope, ROW)
    return { row, stored: row ? fromJsonColumns<StoredPlans>(row.columns) : { plans: [], version: 0 } }
  }
  return {
    read: async (scope) => (await read(scope)).stored,
    set: async (scope, dated, expects) => {
      const { row, stored } = await read(scope)
      if (!expects(stored.version)) return changedMeanwhile
      const last = dayAfter(dayOf(clock.now()), DAYS_AHEAD_MAX)
      if (dated.from > last) return invalid(`Must be ${last} or earlier: at most ${DAYS_AHEAD_MAX} days ahead`)
      const [issued] = await billing.invoices(scope, periodOf(dated.from), 1)
      if (issued)
        return invalid(`Must be in a month without an invoice: ${issued.inputs.period} has its invoice already`)
      const plans = withPlan(stored.plans, dated)
      if (plans instanceof Problem) return plans
      // One that leaves before its first invoice has a fee to pay, too.
      await billing.noteBilled(periodOf(later(dated.from, dayOf(clock.now()))), scope.tenantId)
      const next: StoredPlans = { plans, version: stored.version + 1 }
      const columns = toJsonColumns(next)
      const result = await (row ? rows.replace(scope, ROW, columns, row.etag) : rows.insert(scope, ROW, columns))
      return result.kind === 'written' ? next : changedMeanwhile
    },
  }
}

const invalid = (message: string) =>
  new Problem('invalid_request', `from: ${message}`, { param: 'from', errors: [{ path: 'from', message }] })
