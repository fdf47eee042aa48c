import { tenantOperationView } from '../../checklists/tenant-operation-view'
import type { OperationId, OperationPrefix } from '../../base/ids'
import type { ControlPlane } from '../../http/control-plane'
import { tenantEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { notFound, ok } from '../../http/plain-request'
import { operationParams } from '../../http/request-params'

/** What a tenant's members begin themselves. Its onboarding, moves and offboarding are the operators'. */
const OWN: readonly OperationPrefix[] = ['hos', 'prm', 'evl']

const isOwn = (id: OperationId) => OWN.some((prefix) => id.startsWith(`${prefix}_`))

/** The status of what a tenant has begun with its models. */
export const tenantOperation = (_: ControlPlane): HttpTrigger => ({
  name: 'tenant-operation',
  route: 'api/tenant/operations/{operationId}',
  endpoints: {
    GET: tenantEndpoint('models.read', {
      summary: 'Shows how far a deployment, a promotion or an evaluation of a tuned model is.',
      params: operationParams,
      answer: tenantOperationView.schema,
      run: async ({ caller, params: { operationId }, orchestrations }) => {
        const found = isOwn(operationId) ? await orchestrations.status(operationId) : undefined
        const view = found && tenantOperationView.of(caller.tenantId, operationId, found)
        return view ? ok(view) : notFound
      },
    }),
  },
})
