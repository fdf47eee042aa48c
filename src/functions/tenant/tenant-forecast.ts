import { daysQuery } from '../../capacity/capacity-input'
import { outlookView, shownOutlook } from '../../capacity/capacity-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'

export const tenantForecast = ({ capacity }: ControlPlane): HttpTrigger => ({
  name: 'tenant-forecast',
  route: 'api/tenant/forecast',
  endpoints: {
    GET: tenantEndpoint('usage.read', {
      summary: 'What is expected of the tenant’s use, and when its limits and budgets are reached.',
      query: daysQuery,
      answer: shownOutlook,
      run: async ({ caller: { tenantId }, query: { days } }) =>
        ok(outlookView(await capacity.outlook({ kind: 'tenant', tenantId }), days)),
    }),
  },
})
