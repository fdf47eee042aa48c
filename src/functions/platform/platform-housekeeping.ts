import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'
import { shownHousekeeping } from '../../housekeeping/housekeeping-view'

/** What is kept how long, what would go now, and which secrets are due to be rotated. It removes nothing. */
export const platformHousekeeping = ({ showHousekeeping }: ControlPlane): HttpTrigger => ({
  name: 'platform-housekeeping',
  route: 'api/platform/housekeeping',
  endpoints: {
    GET: operatorEndpoint('platform.housekeeping.read', {
      summary: 'Shows what is kept how long, what housekeeping would delete now, and which secrets are due.',
      answer: shownHousekeeping,
      run: async ({ orchestrations }) => ok(await showHousekeeping(orchestrations)),
    }),
  },
})
