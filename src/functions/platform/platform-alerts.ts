import { z } from 'zod'
import { alertStates } from '../../alerts/alert'
import { alertCursor, alertKindInput, alertView, showAlert, showPage } from '../../alerts/alert-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { pageLimit, tenantParams } from '../../http/request-params'

const PAGE_ALERTS_MAX = 100

const pageQuery = z.strictObject({
  limit: pageLimit({ most: PAGE_ALERTS_MAX, usual: PAGE_ALERTS_MAX }),
  after: alertCursor.optional().meta({ description: 'The `next` of the page before; absent for the first page.' }),
  state: z.enum(alertStates).optional().meta({ description: 'Only those that are so.' }),
  kind: alertKindInput.optional().meta({ description: 'Only those of this kind.' }),
  tenantId: tenantParams.shape.tenantId.optional().meta({ description: 'Only those about this tenant.' }),
})

/** What needs an operator's hand. */
export const platformAlerts = ({ alerts }: ControlPlane): HttpTrigger => ({
  name: 'platform-alerts',
  route: 'api/platform/alerts',
  endpoints: {
    GET: operatorEndpoint('platform.alerts.read', {
      summary: 'Lists alerts, the worst and newest first, those that are over last, page by page.',
      query: pageQuery,
      answer: z.object({ alerts: z.array(alertView), next: z.string().optional() }),
      run: async ({ query: { limit, ...asked } }) =>
        ok(showPage(await alerts.page({ after: undefined, ...asked, limit: limit + 1 }), limit, showAlert)),
    }),
  },
})
