import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { pageLimit } from '../../http/request-params'
import { shownReconciliation } from '../../reconciliation/reconciliation-view'

const PAGE_ROWS_MAX = 500
const CURSOR_CHARACTERS_MAX = 1_200
const DEPLOYMENT_CHARACTERS_MAX = 100

const time = z.iso.datetime({ offset: true, error: 'Must be a time such as "2027-01-31T00:00:00Z"' })

const reconciliationQuery = z.strictObject({
  from: time.optional().meta({ description: '24 hours before `to` by default.' }),
  to: time.optional().meta({ description: 'Exclusive; now by default.' }),
  deployment: z
    .string()
    .min(1)
    .max(DEPLOYMENT_CHARACTERS_MAX)
    .optional()
    .meta({ description: 'Only deployments of this name, at whatever account.' }),
  drifted: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'With "true" only hours in which the two sides do not agree.' }),
  after: z
    .string()
    .min(1)
    .max(CURSOR_CHARACTERS_MAX)
    .optional()
    .meta({ description: 'The `next` of the page before; absent for the first page.' }),
  limit: pageLimit({ most: PAGE_ROWS_MAX, usual: PAGE_ROWS_MAX }),
})

/** The platform's figures beside the provider's own, and what is not compared. */
export const platformReconciliation = ({ showReconciliation }: ControlPlane): HttpTrigger => ({
  name: 'platform-reconciliation',
  route: 'api/platform/reconciliation',
  endpoints: {
    GET: operatorEndpoint('platform.housekeeping.read', {
      summary: 'Shows per deployment and hour what the platform counted and what the provider did, page by page.',
      query: reconciliationQuery,
      answer: shownReconciliation,
      run: async ({ query: { from, to, deployment, drifted, after, limit } }) => {
        const shown = await showReconciliation({
          from: from === undefined ? undefined : Date.parse(from),
          to: to === undefined ? undefined : Date.parse(to),
          deployment: deployment?.toLowerCase(),
          drifted: drifted === 'true',
          after,
          limit,
        })
        return shown instanceof Problem ? shown : ok(shown)
      },
    }),
  },
})
