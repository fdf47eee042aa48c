import { z } from 'zod'
import { Problem } from '../../base/problem'
import { invoiceView, shownInvoice } from '../../billing/invoice-view'
import { tenantPeriodParams } from '../../http/billing-params'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { TenantScope } from '../../storage/tenant-scope'

const verified = z.object({
  invoice: shownInvoice,
  verification: z
    .object({
      sameSheets: z.boolean().meta({ description: 'Whether the sums per day are those that it was made of.' }),
      sameInvoice: z.boolean().meta({ description: 'Whether they make the same invoice again, byte for byte.' }),
    })
    .optional()
    .meta({ description: 'Of an issued one.' }),
})

export const platformTenantInvoice = ({ billing }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-invoice',
  route: 'api/platform/tenants/{tenantId}/invoices/{period}',
  endpoints: {
    GET: operatorEndpoint('platform.billing.read', {
      summary: 'Shows a tenant’s invoice of a month, made once more from what was kept with it.',
      params: tenantPeriodParams,
      answer: verified,
      run: async ({ params: { tenantId, period } }) => {
        // Invoices stay when their tenant has gone, so its record is not asked for.
        const scope = TenantScope.ofPlatform(tenantId)
        const shown = await billing.invoices.read(scope, period)
        if (shown instanceof Problem) return shown
        const verification = shown.kind === 'issued' ? await billing.invoices.verify(scope, shown.invoice) : undefined
        return ok({ invoice: invoiceView(shown), verification })
      },
    }),
  },
})
