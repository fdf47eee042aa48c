import type { Clock } from '../base/clock'
import { describeError, type Log } from '../base/log'
import { TimeBox } from '../base/time-box'
import { TenantScope } from '../storage/tenant-scope'
import type { BillingRows } from './billing-rows'
import { dayOf, periodOf, type Period } from './calendar'

/**
 * How long invoices and what shows how they came to be are kept, from the end of their year on; then they are deleted, with their tenant
 * there or not. The longest that member states of the European Union commonly ask for (Directive 2006/112/EC, article 247, leaves it to
 * them): ten years in France and Italy, eight in Germany since 2025, seven in Sweden.
 */
export const INVOICES_KEPT_YEARS = 10

interface RemoveOldInvoicesDeps {
  readonly rows: Pick<BillingRows, 'oldest' | 'removeMonth'>
  readonly clock: Clock
  readonly log: Log
}

/** Below the half hour that the Functions host gives an invocation; what is left comes the next time. */
const RUN_MS_MAX = 20 * 60_000

/** How many tenants' months went. Broken off or twice at once: what is gone is gone, and a month's entry in the list goes last. */
export async function removeOldInvoices({ rows, clock, log }: RemoveOldInvoicesDeps): Promise<number> {
  const time = new TimeBox(clock, RUN_MS_MAX)
  let removed = 0
  for await (const { period, tenantId } of time.within(rows.oldest(keptFrom(clock.now())))) {
    try {
      await rows.removeMonth(TenantScope.ofPlatform(tenantId), period)
      removed += 1
    } catch (error) {
      log.warn('an old month of bills could not be removed', { tenantId, period, error: describeError(error) })
    }
  }
  return removed
}

/** The first month that is kept. */
const keptFrom = (nowMs: number): Period => {
  const year = Number(periodOf(dayOf(nowMs)).slice(0, 4))
  return `${year - INVOICES_KEPT_YEARS}-01` as Period
}
