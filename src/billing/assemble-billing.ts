import type { Alerts } from '../alerts/alerts'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import type { Log } from '../base/log'
import type { Notifications } from '../notifications/notice'
import type { Backends } from '../routing/backends'
import type { StorageAccount } from '../storage/connect'
import { platformTable } from '../storage/platform-table'
import type { TenantScope } from '../storage/tenant-scope'
import { tenantTable, type Columns } from '../storage/tenant-table'
import { tenantsRows } from '../storage/tenants-rows'
import type { Tenants } from '../tenants/tenants'
import { createBlobCursors } from '../usage/blob-cursors'
import type { RollUp } from '../usage/run-roll-up'
import type { TenantsWithUsage } from '../usage/tenants-with-usage'
import type { UsageReader } from '../usage/usage-reader'
import { createBillingRows } from './billing-rows'
import { closeDays } from './close-days'
import { createClosing } from './closing-state'
import type { InputsDeps } from './gather-inputs'
import { createCredits, type Credits } from './credits'
import { newCreditId, type CreditId } from './credit'
import { createInvoices, type Invoices, type InvoicesDeps } from './invoices'
import { issueInvoices } from './issue-invoices'
import { createLivePrices, type LivePrices } from './live-prices'
import { createMargins, type Margins } from './margins'
import { measureStorage } from './measure-storage'
import { createOverdueInvoices } from './overdue-invoices'
import type { OwnPrices } from './own-prices'
import { createPlans, type Plans } from './plans'
import { createPriceStore, type PriceStore } from './price-store'
import { watchBilling } from './watch-billing'
import { removeOldInvoices } from './remove-old-invoices'
import { createSummaries, type Summaries } from './summaries'

export interface BillingParts {
  readonly storage: StorageAccount
  readonly tenants: Pick<Tenants, 'get'>
  readonly backends: Pick<Backends, 'all'>
  readonly ownPrices: Pick<OwnPrices, 'use'>
  readonly usage: UsageReader
  readonly tenantsWithUsage: TenantsWithUsage
  readonly rollUp: Pick<RollUp, 'run'>
  readonly notifications: Pick<Notifications, 'publish'>
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
  readonly leftAt: InputsDeps['leftAt']
  /** Every tenant behind `after`, in order of ids. */
  readonly tenantIds: (after?: TenantId) => AsyncIterable<TenantId>
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

/** What the control plane's triggers call. */
export interface Billing {
  readonly prices: PriceStore
  readonly plans: Plans
  readonly credits: Credits
  readonly newCreditId: () => CreditId
  readonly invoices: Invoices
  readonly summaries: Summaries
  readonly margins: Margins
}

export interface AssembledBilling {
  readonly billing: Billing
  /** Begins to keep the price book up to date; for the one instance that this process is. */
  readonly keepPrices: () => LivePrices
  readonly timers: BillingTimers
}

interface BillingTimers {
  readonly 'measure-storage': () => Promise<void>
  readonly 'bill-tenants': () => Promise<void>
  readonly 'remove-old-invoices': () => Promise<void>
}

export function assembleBilling(parts: BillingParts): AssembledBilling {
  const { storage, tenants, backends, rollUp, clock, chance, log } = parts
  const table = storage.table('billing')
  const tenantRows = tenantTable<Columns>(table)
  const platformRows = platformTable<Columns>(table)
  const rows = createBillingRows({ tenantRows, platformRows })
  const closing = createClosing({ rows: platformRows, clock })
  const overdue = createOverdueInvoices({ rows: platformRows, clock })
  const prices = createPriceStore({ rows: platformRows, openDay: async () => (await closing.read()).openDay, clock })
  const plans = createPlans({ rows: tenantRows, billing: rows, clock })
  const credits = createCredits(tenantRows)
  const cursors = createBlobCursors(storage)
  const deps: InvoicesDeps = {
    ...parts,
    backends: backends.all,
    rows,
    plans,
    credits,
    prices,
    closing,
    tenantRecord: (scope: TenantScope) => tenants.get(scope),
    freshen: () => rollUp.run({ fresh: true }),
  }
  const invoices = createInvoices(deps)
  return {
    billing: {
      prices,
      plans,
      credits,
      newCreditId: () => newCreditId({ clock, chance }),
      invoices,
      summaries: createSummaries(rows),
      margins: createMargins({ ...deps, tenantIds: parts.tenantIds }),
    },
    keepPrices: () => createLivePrices({ prices, ownPrices: parts.ownPrices, clock, log }),
    timers: {
      'measure-storage': async () => {
        await measureStorage({ everyShelf: tenantsRows(storage.table('files')), rows, clock, log })
      },
      'bill-tenants': async () => {
        try {
          const { tenantsWithUsage, tenantIds } = parts
          const rolledUpBefore = () => cursors.finishedBefore('rolled-up')
          const closed = await closeDays({ ...deps, prices, tenantsWithUsage, closing, rolledUpBefore })
          const tenants = await issueInvoices({
            invoices: createInvoices(withReadOnce(deps)),
            rows,
            closing,
            overdue,
            tenantIds: () => tenantIds(),
            clock,
            log,
          })
          if (closed + tenants > 0) log.info('days were closed and tenants billed', { closed, tenants })
        } finally {
          await watchBilling({ closing, overdue, alerts: parts.alerts, clock })
        }
      },
      'remove-old-invoices': async () => {
        const count = await removeOldInvoices({ rows, clock, log })
        if (count > 0) log.info('old months of bills were deleted', { count })
      },
    },
  }
}

/**
 * For one run, which takes minutes at most: what every invoice of it reads alike is read once. Days that are closed are billed, and
 * neither their prices nor how far closing has come changes for them any more.
 */
const withReadOnce = (deps: InvoicesDeps): InvoicesDeps => ({
  ...deps,
  prices: { read: readOnce(() => deps.prices.read()) },
  rows: { ...deps.rows, ownAccounts: readOnce(() => deps.rows.ownAccounts()) },
  closing: { read: readOnce(() => deps.closing.read()) },
})

/** A failure is not kept: whoever comes next reads again. */
function readOnce<T>(read: () => Promise<T>): () => Promise<T> {
  let known: Promise<T> | undefined
  return () =>
    (known ??= read().catch((error: unknown) => {
      known = undefined
      throw error
    }))
}
