import type { TenantId } from '../base/ids'
import type { BillingRows, InvoiceSummary } from './billing-rows'
import type { Period } from './calendar'

/** Which invoices of a month are issued, for operators only: a reader across tenants (I4) of numbers, ids and names. */
export interface Summaries {
  page(
    period: Period,
    page: { after?: TenantId | undefined; limit: number },
  ): Promise<{ invoices: readonly InvoiceSummary[]; next: TenantId | undefined }>
}

export const createSummaries = (rows: Pick<BillingRows, 'summaries'>): Summaries => ({
  page: async (period, { after, limit }) => {
    const found = await rows.summaries(period, { after, limit: limit + 1 })
    const invoices = found.slice(0, limit)
    return { invoices, next: found.length > limit ? invoices.at(-1)?.tenantId : undefined }
  },
})
