import { requirePlatformPermission } from '../../access/operators'
import { operationView } from '../../checklists/operation-view'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { operationParams } from '../../http/request-params'

/** The status of an onboarding, an offboarding, a move or a key rotation, as it happens. */
export const platformOperation = (_: ControlPlane): HttpTrigger => ({
  name: 'platform-operation',
  route: 'api/platform/operations/{operationId}',
  endpoints: {
    GET: operatorEndpoint('platform.tenants.read', {
      // Shows nothing of a tenant's own.
      auditsReads: false,
      summary:
        'Shows each step of an operation with its state, times, attempts and error; one-time links with `platform.links.read` only.',
      params: operationParams,
      answer: operationView.schema,
      run: async ({ operator, params, orchestrations }) => {
        const found = await orchestrations.status(params.operationId)
        if (!found) return notFound
        const mayOpen = requirePlatformPermission(operator, 'platform.links.read') === undefined
        return ok(operationView.of(params.operationId, found, { links: mayOpen ? ['credentials', 'export'] : [] }))
      },
    }),
  },
})
