import { z } from 'zod'
import { Problem } from '../../base/problem'
import { noMonthYet } from '../../billing/margins'
import { platformInvoicesQuery } from '../../http/billing-params'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'

const shownSummary = z
  .object({
    tenantId: z.string(),
    billedTo: z.string(),
    period: z.string(),
    totalMicroUsd: z.int(),
    revenueMicroUsd: z.int(),
    costMicroUsd: z.int(),
    issuedAt: z.iso.datetime(),
  })
  .meta({ id: 'InvoiceSummary' })

export const platformInvoices = ({ billing, clock }: ControlPlane): HttpTrigger => ({
  name: 'platform-invoices',
  route: 'api/platform/invoices',
  endpoints: {
    GET: operatorEndpoint('platform.billing.read', {
      summary: 'Lists the issued invoices of a month, page by page.',
      query: platformInvoicesQuery,
      answer: z.object({ invoices: z.array(shownSummary), next: z.string().optional() }),
      auditsReads: true,
      run: async ({ query: { period, ...page } }) => {
        const refused = noMonthYet(period, clock.now())
        if (refused instanceof Problem) return refused
        const { invoices, next } = await billing.summaries.page(period, page)
        const shown = invoices.map(({ cost, issuedAt, ...summary }) => ({
          ...summary,
          costMicroUsd: cost.totalMicroUsd,
          issuedAt: new Date(issuedAt).toISOString(),
        }))
        return ok({ invoices: shown, next })
      },
    }),
  },
})
