import { z } from 'zod'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { pageLimit } from '../../http/request-params'
import { deadLetterId, deadLetterView, showDeadLetter } from '../../notifications/dead-letter-view'

const PAGE_LETTERS_MAX = 100

const pageQuery = z.strictObject({
  limit: pageLimit({ most: PAGE_LETTERS_MAX, usual: PAGE_LETTERS_MAX }),
  after: deadLetterId.optional().meta({ description: 'The `next` of the page before; absent for the first page.' }),
})

/** Messages that were given up. */
export const platformDeadLetters = ({ deadLetters }: ControlPlane): HttpTrigger => ({
  name: 'platform-dead-letters',
  route: 'api/platform/notifications/dead-letters',
  endpoints: {
    GET: operatorEndpoint('platform.notifications.manage', {
      summary: 'Lists messages that were given up, of tenants and of operators, the newest first, page by page.',
      query: pageQuery,
      answer: z.object({ deadLetters: z.array(deadLetterView), next: z.string().optional() }),
      run: async ({ query: { after, limit } }) => {
        const found = await deadLetters.page({ after, limit: limit + 1 })
        const shown = found.slice(0, limit).map(showDeadLetter)
        return ok({ deadLetters: shown, next: found.length > limit ? shown.at(-1)?.id : undefined })
      },
    }),
  },
})
