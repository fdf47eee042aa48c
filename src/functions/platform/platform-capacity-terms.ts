import { Problem } from '../../base/problem'
import { assumedTerms, provisionedTerms } from '../../capacity/provisioned/terms'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { ok } from '../../http/plain-request'

const etagOf = (version: number) => ({ etag: `"${version}"` })

/** What provisioned throughput costs here, and what a unit of it takes, in place of what is assumed. */
export const platformCapacityTerms = ({ capacity }: ControlPlane): HttpTrigger => ({
  name: 'platform-capacity-terms',
  route: 'api/platform/capacity/terms',
  endpoints: {
    GET: operatorEndpoint('platform.capacity.read', {
      summary: 'Reads the terms of provisioned throughput that were set, or what is assumed until then.',
      answer: provisionedTerms,
      run: async () => {
        const { value, version } = (await capacity.terms()) ?? { value: assumedTerms, version: 0 }
        return ok(value, etagOf(version))
      },
    }),
    PUT: operatorEndpoint('platform.capacity.manage', {
      summary: 'Sets prices and units of provisioned throughput; the version of what was never set is "0".',
      body: provisionedTerms,
      answer: provisionedTerms,
      needsIfMatch: true,
      run: async ({ body, ifMatch }) => {
        const stored = await capacity.putTerms(body, ifMatch)
        return stored instanceof Problem ? stored : ok(stored.value, etagOf(stored.version))
      },
    }),
  },
})
