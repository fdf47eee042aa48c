import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { pageLimit } from '../../http/request-params'

const PAGE_ALERTS_MAX = 100
const ID_CHARACTERS_MAX = 200

const pageQuery = z.strictObject({
  limit: pageLimit({ most: PAGE_ALERTS_MAX, usual: PAGE_ALERTS_MAX }),
  after: z.string().min(1).max(ID_CHARACTERS_MAX).optional(),
})

const alertView = z.object({
  id: z.string(),
  tenantId: z.string().optional(),
  title: z.string(),
  detail: z.string(),
  audience: z
    .literal('tenant')
    .optional()
    .meta({ description: 'Also for the tenant’s own contacts; absent: for operators alone.' }),
  state: z.enum(['open', 'resolved']),
  raisedAt: z.iso.datetime(),
  lastSeenAt: z.iso.datetime(),
  timesSeen: z.int(),
})

/** What needs an operator's hand. */
export const platformAlerts = ({ alerts }: ControlPlane): HttpTrigger => ({
  name: 'platform-alerts',
  route: 'api/platform/alerts',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      summary: 'Lists alerts, page by page.',
      query: pageQuery,
      answer: z.object({ alerts: z.array(alertView), next: z.string().optional() }),
      run: async ({ query: { limit, after } }) => {
        const found = await alerts.page({ after, limit: limit + 1 })
        const shown = found.slice(0, limit).map((alert) => ({
          ...alert,
          raisedAt: new Date(alert.raisedAt).toISOString(),
          lastSeenAt: new Date(alert.lastSeenAt).toISOString(),
        }))
        return ok({ alerts: shown, next: found.length > limit ? shown.at(-1)?.id : undefined })
      },
    }),
  },
})
