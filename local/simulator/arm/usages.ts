import { COGNITIVE } from './account-view'
import { endpointPath, type ArmEndpoint } from './arm-answer'
import type { ArmDeps } from './arm-deps'
import { normalLocation } from './read-arm-body'
import { usagesIn } from './quota'

/** What is used of the quotas of a region. */
export function usageEndpoints({ store, config }: ArmDeps): ArmEndpoint[] {
  return [
    {
      path: endpointPath(
        `/subscriptions/(?<subscription>[^/]+)/providers/${COGNITIVE}/locations/(?<location>[^/]+)/usages`,
      ),
      type: `${COGNITIVE}/locations/usages`,
      serve: {
        GET: ({ params: { subscription = '', location = '' } }) => {
          const place = { subscription, region: normalLocation(location) }
          return { status: 200, body: { value: usagesIn(store, config().quotas, place) } }
        },
      },
    },
  ]
}
