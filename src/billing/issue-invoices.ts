import { eachOf } from '../base/each-of'
import { eachOnce } from '../base/each-once'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { describeError, type Log } from '../base/log'
import { Problem } from '../base/problem'
import { TimeBox } from '../base/time-box'
import { TenantScope } from '../storage/tenant-scope'
import { isPlatformOwner } from '../tenants/platform-owner'
import type { BillingRows } from './billing-rows'
import { dayBehind, periodAfter, periodBefore, type Period } from './calendar'
import type { Closing } from './closing-state'
import type { Invoices } from './invoices'
import type { OverdueInvoice, OverdueInvoices } from './overdue-invoices'

interface IssueInvoicesDeps {
  readonly invoices: Pick<Invoices, 'issue'>
  readonly rows: Pick<BillingRows, 'billed' | 'issuedTo' | 'summary'>
  readonly closing: Closing
  readonly overdue: OverdueInvoices
  /** Every tenant there is, in order of ids, on behalf of each by itself (I4). */
  readonly tenantIds: () => AsyncIterable<TenantId>
  readonly clock: Clock
  readonly log: Log
}

/** Below the half hour that the Functions host gives an invocation. What is left comes the next time: whoever has an invoice is passed over. */
const RUN_MS_MAX = 20 * 60_000
const TENANTS_AT_ONCE = 8

/**
 * Issues the invoices of months that are closed; how many tenants were looked at. A month is behind us when each of its tenants has its
 * invoice or is noted as overdue: those that are there, and those that have left since, who used something or had an invoice the month
 * before. So one whose invoice fails keeps nobody else waiting, and is tried again by itself. Late, twice at once or broken off, each
 * invoice is issued once.
 */
export async function issueInvoices(deps: IssueInvoicesDeps): Promise<number> {
  const { closing, clock } = deps
  const time = new TimeBox(clock, RUN_MS_MAX)
  let looked = 0
  for (;;) {
    const { openDay, openPeriod } = await closing.read()
    if (openDay < dayBehind(openPeriod)) break
    looked += await issueAll(deps, openPeriod, time)
    if (time.hasCutOff) break
    await closing.advance({ openPeriod: periodAfter(openPeriod) })
  }
  return looked + (await issueOverdue(deps, time))
}

/** How many tenants there was time for. */
async function issueAll(deps: IssueInvoicesDeps, period: Period, time: TimeBox): Promise<number> {
  const { rows, overdue, tenantIds, log } = deps
  let looked = 0
  const tenants = eachOnce([tenantIds(), rows.billed(period), rows.issuedTo(periodBefore(period))])
  // Where one that failed cannot even be noted, the month stays as it is and the run fails.
  await eachOf(time.within(tenants), TENANTS_AT_ONCE, async (tenantId) => {
    // What the platform itself owns pays nobody.
    if (isPlatformOwner(tenantId)) return
    looked += 1
    try {
      await issueOne(deps, tenantId, period)
    } catch (error) {
      log.error('an invoice could not be issued', { tenantId, period, error: describeError(error) })
      await overdue.note(tenantId, period)
    }
  })
  return looked
}

/** Throws unless the invoice is there then, or there is none to be: of a month before the tenant came, or after it left. */
async function issueOne({ invoices }: IssueInvoicesDeps, tenantId: TenantId, period: Period): Promise<void> {
  const issued = await invoices.issue(TenantScope.ofPlatform(tenantId), period)
  if (issued instanceof Problem && issued.code !== 'not_found') throw new Error(issued.public)
}

/** Tries again what failed before; of how many it was time to. */
async function issueOverdue(deps: IssueInvoicesDeps, time: TimeBox): Promise<number> {
  const { overdue, log } = deps
  let tried = 0
  await eachOf(time.within(overdue.all()), TENANTS_AT_ONCE, async (each) => {
    if (!(await isTime(deps, each))) return
    const { tenantId, from, to, failures } = each
    tried += 1
    try {
      // Each month by itself: of one behind the tenant's last there is none, and those before it are still wanted.
      for (let period = from; period <= to; period = periodAfter(period)) await issueOne(deps, tenantId, period)
      await overdue.settle(each)
      log.info('invoices that had failed were issued', { tenantId, from, to, failures })
    } catch (error) {
      log.error('an invoice could not be issued again', { tenantId, from, to, failures, error: describeError(error) })
      await overdue.postpone(each)
    }
  })
  return tried
}

/** Or somebody has issued it by hand, and it is to be said that it is there. */
const isTime = async ({ rows, clock }: IssueInvoicesDeps, { tenantId, to, retryAt }: OverdueInvoice) =>
  clock.now() >= retryAt || (await rows.summary(to, tenantId)) !== undefined
