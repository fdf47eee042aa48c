import { z } from 'zod'
import { alertStates } from '../../alerts/alert'
import { alertCursor, alertKindInput, showPage, showToTenant, tenantAlertView } from '../../alerts/alert-view'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { pageLimit } from '../../http/request-params'

const PAGE_ALERTS_MAX = 100

const pageQuery = z.strictObject({
  limit: pageLimit({ most: PAGE_ALERTS_MAX, usual: PAGE_ALERTS_MAX }),
  after: alertCursor.optional().meta({ description: 'The `next` of the page before; absent for the first page.' }),
  state: z.enum(alertStates).optional().meta({ description: 'Only those that are so.' }),
  kind: alertKindInput.optional().meta({ description: 'Only those of this kind.' }),
})

/** What the tenant's own people are told of it: its budgets, its jobs, its models. */
export const tenantAlerts = ({ alerts }: ControlPlane): HttpTrigger => ({
  name: 'tenant-alerts',
  route: 'api/tenant/alerts',
  endpoints: {
    GET: tenantEndpoint('alerts.read', {
      summary: 'Lists alerts about the tenant, the worst and newest first, those that are over last, page by page.',
      query: pageQuery,
      answer: z.object({ alerts: z.array(tenantAlertView), next: z.string().optional() }),
      run: async ({ caller, query: { limit, ...asked } }) => {
        const page = { after: undefined, ...asked, seenBy: caller.tenantId, limit: limit + 1 }
        return ok(showPage(await alerts.page(page), limit, showToTenant))
      },
    }),
  },
})
