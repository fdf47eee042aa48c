import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { Problem } from '../base/problem'
import { TenantScope } from '../storage/tenant-scope'
import { isPlatformOwner } from '../tenants/platform-owner'
import type { BillingRows } from './billing-rows'
import { dayBehind, periodAfter, periodBefore, type Period } from './calendar'
import type { Closing } from './closing-state'
import type { Invoices } from './invoices'

interface IssueInvoicesDeps {
  readonly invoices: Pick<Invoices, 'issue'>
  readonly rows: Pick<BillingRows, 'billed' | 'issuedTo'>
  readonly closing: Closing
  /** Every tenant there is, on behalf of each by itself (I4). */
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly clock: Clock
  readonly log: Log
}

/** Below the half hour that the Functions host gives an invocation. What is left comes the next time: whoever has an invoice is passed over. */
const RUN_MS_MAX = 20 * 60_000
const TENANTS_AT_ONCE = 8

/**
 * Issues the invoices of months that are closed; how many tenants were looked at. A month is behind us when each of its tenants has its
 * invoice: those that are there, and those that have left since, who used something or had an invoice the month before. Late, twice at
 * once or broken off, each invoice is issued once.
 */
export async function issueInvoices(deps: IssueInvoicesDeps): Promise<number> {
  const { closing, clock } = deps
  const endsAtMs = clock.monotonicMs() + RUN_MS_MAX
  let looked = 0
  for (;;) {
    const { openDay, openPeriod } = await closing.read()
    if (openDay < dayBehind(openPeriod)) return looked
    const result = await issueAll(deps, openPeriod, endsAtMs)
    looked += result.looked
    if (!result.isComplete) return looked
    await closing.advance({ openPeriod: periodAfter(openPeriod) })
  }
}

async function issueAll(
  { invoices, rows, tenantIds, clock, log }: IssueInvoicesDeps,
  period: Period,
  endsAtMs: number,
): Promise<{ looked: number; isComplete: boolean }> {
  let looked = 0
  let isComplete = true
  const issue = async (tenantId: TenantId) => {
    // What the platform itself owns pays nobody.
    if (isPlatformOwner(tenantId)) return
    looked += 1
    try {
      const issued = await invoices.issue(TenantScope.ofPlatform(tenantId), period)
      // Not-found is one that came after the month, or left before it.
      if (issued instanceof Problem && issued.code !== 'not_found') throw new Error(issued.public)
    } catch (error) {
      isComplete = false
      log.error('an invoice could not be issued', { tenantId, period, error: describeError(error) })
    }
  }
  const walk = async (tenants: AsyncIterator<TenantId>) => {
    for (let next = await tenants.next(); !next.done; next = await tenants.next()) {
      if (clock.monotonicMs() >= endsAtMs) {
        isComplete = false
        return
      }
      await issue(next.value)
    }
  }
  for (const source of [tenantIds(), rows.billed(period), rows.issuedTo(periodBefore(period))]) {
    const tenants = source[Symbol.asyncIterator]()
    await Promise.all(Array.from({ length: TENANTS_AT_ONCE }, () => walk(tenants)))
  }
  return { looked, isComplete }
}
