import { z } from 'zod'
import { invoiceHead, shownInvoiceHead } from '../../billing/invoice-view'
import { invoicePageQuery } from '../../http/billing-params'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantInvoices = ({ billing }: ControlPlane): HttpTrigger => ({
  name: 'tenant-invoices',
  route: 'api/tenant/invoices',
  endpoints: {
    GET: tenantEndpoint('invoices.read', {
      summary: 'Lists the tenant’s issued invoices, the oldest first.',
      query: invoicePageQuery,
      answer: z.object({ invoices: z.array(shownInvoiceHead), next: z.string().optional() }),
      run: async ({ caller, query: { after, limit } }) => {
        const found = await billing.invoices.list(TenantScope.ofCaller(caller), { after, limit: limit + 1 })
        const shown = found.slice(0, limit)
        const next = found.length > limit ? shown.at(-1)?.inputs.period : undefined
        return ok({ invoices: shown.map(invoiceHead), next })
      },
    }),
  },
})
