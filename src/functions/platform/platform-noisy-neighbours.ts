import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { pageLimit } from '../../http/request-params'
import { findingPage, findingView } from '../../neighbours/noisy-view'

const PAGE_FINDINGS_MAX = 100
const CURSOR_CHARACTERS_MAX = 100

const pageQuery = z.strictObject({
  limit: pageLimit({ most: PAGE_FINDINGS_MAX, usual: PAGE_FINDINGS_MAX }),
  after: z.string().min(1).max(CURSOR_CHARACTERS_MAX).optional(),
})

/** Who is in whose way, with the figures. */
export const platformNoisyNeighbours = ({ noisyNeighbours }: ControlPlane): HttpTrigger => ({
  name: 'platform-noisy-neighbours',
  route: 'api/platform/noisy-neighbours',
  endpoints: {
    GET: operatorEndpoint('platform.neighbours.read', {
      summary: 'Lists tenants that are in others’ way, those affected, and what is done about it.',
      query: pageQuery,
      answer: findingPage,
      run: async ({ query: { limit, after } }) => {
        const found = await noisyNeighbours.page({ after, limit: limit + 1 })
        const shown = found.slice(0, limit)
        return ok({
          findings: shown.map(({ finding }) => findingView(finding)),
          next: found.length > limit ? shown.at(-1)?.key : undefined,
        })
      },
    }),
  },
})
