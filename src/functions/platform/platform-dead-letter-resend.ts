import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent, notFound } from '../../http/plain-request'
import { deadLetterParams } from '../../notifications/dead-letter-view'

export const platformDeadLetterResend = ({ deadLetters }: ControlPlane): HttpTrigger => ({
  name: 'platform-dead-letter-resend',
  route: 'api/platform/notifications/dead-letters/{deadLetterId}/resend',
  endpoints: {
    POST: operatorEndpoint('platform.notifications.manage', {
      summary: 'Sends a message anew that was given up, under the id by which its receiver knows it.',
      params: deadLetterParams,
      run: async ({ params }) => ((await deadLetters.resend(params.deadLetterId)) ? noContent : notFound),
    }),
  },
})
