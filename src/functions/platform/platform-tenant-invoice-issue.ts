import { Problem } from '../../base/problem'
import { invoiceView, shownInvoice } from '../../billing/invoice-view'
import { tenantPeriodParams } from '../../http/billing-params'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { TenantScope } from '../../storage/tenant-scope'

export const platformTenantInvoiceIssue = ({ billing }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-invoice-issue',
  route: 'api/platform/tenants/{tenantId}/invoices/{period}/issue',
  endpoints: {
    POST: operatorEndpoint('platform.billing.manage', {
      summary: 'Issues a tenant’s invoice of a closed month now; one that there is already is answered as it is.',
      params: tenantPeriodParams,
      answer: shownInvoice,
      problems: ['conflict'],
      run: async ({ params: { tenantId, period } }) => {
        const issued = await billing.invoices.issue(TenantScope.ofPlatform(tenantId), period)
        return issued instanceof Problem ? issued : ok(invoiceView({ kind: 'issued', invoice: issued }))
      },
    }),
  },
})
