import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ChecklistInput } from '../../checklists/run-checklist'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, notFound } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { moveInput, planMove } from '../../moving/move-request'
import { movingName } from '../../moving/moving-input'
import { TenantScope } from '../../storage/tenant-scope'

const operationStarted = z.object({ operationId: z.string(), statusUrl: z.string() })

/** Other levels of isolation, or another stamp, for a tenant that is in use. */
export const platformTenantMove = ({ tenants, stamps, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-move',
  route: 'api/platform/tenants/{tenantId}/move',
  endpoints: {
    POST: operatorEndpoint('platform.tenants.manage', {
      summary:
        'Moves a tenant to another isolation of its data or its models, or to another stamp, while it is in use.',
      params: tenantParams,
      body: moveInput,
      answer: operationStarted,
      answerStatus: 202,
      problems: ['conflict'],
      newSubject: () => ids.operationId('mov'),
      run: async ({ params, body, subject, orchestrations }) => {
        const tenant = await tenants.get(TenantScope.ofPlatform(params.tenantId))
        if (!tenant) return notFound
        const input = await planMove({ tenants, stamps }, tenant, body)
        if (input instanceof Problem) return input
        await orchestrations.start(movingName, subject, { tenantId: params.tenantId, input } satisfies ChecklistInput)
        return accepted({ operationId: subject, statusUrl: `/api/platform/operations/${subject}` })
      },
    }),
  },
})
