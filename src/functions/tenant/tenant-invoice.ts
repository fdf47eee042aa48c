import { Problem } from '../../base/problem'
import { csvType } from '../../base/csv'
import { shownInvoice } from '../../billing/invoice-view'
import { invoiceQuery, periodParams } from '../../http/billing-params'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { invoiceAnswer } from '../../http/invoice-answer'
import { TenantScope } from '../../storage/tenant-scope'

export const tenantInvoice = ({ billing }: ControlPlane): HttpTrigger => ({
  name: 'tenant-invoice',
  route: 'api/tenant/invoices/{period}',
  endpoints: {
    GET: tenantEndpoint('invoices.read', {
      summary: 'Shows the invoice of a month or, while none is issued, what it would be now.',
      params: periodParams,
      query: invoiceQuery,
      answer: shownInvoice,
      answerType: csvType,
      run: async ({ caller, params, query }) => {
        const shown = await billing.invoices.read(TenantScope.ofCaller(caller), params.period)
        return shown instanceof Problem ? shown : invoiceAnswer(shown, query.format)
      },
    }),
  },
})
