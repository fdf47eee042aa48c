import { z } from 'zod'
import { Problem } from '../base/problem'
import type { ChecklistInput } from '../checklists/run-checklist'
import type { ControlPlane } from '../http/control-plane'
import { operatorEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { accepted, notFound } from '../http/plain-request'
import { tenantParams } from '../http/request-params'
import { movingName, type MovingInput } from '../moving/moving-checklist'
import { TenantScope } from '../storage/tenant-scope'

const moveInput = z.strictObject({ data: z.enum(['logical', 'container']) })
const operationStarted = z.object({ operationId: z.string(), statusUrl: z.string() })

/** Another level of data isolation for a tenant that is in use. */
export const platformTenantMove = ({ tenants, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-move',
  route: 'api/platform/tenants/{tenantId}/move',
  endpoints: {
    POST: operatorEndpoint('platform.tenants.manage', {
      summary: 'Moves a tenant’s data to a place of another isolation level, while it is in use.',
      params: tenantParams,
      body: moveInput,
      answer: operationStarted,
      answerStatus: 202,
      problems: ['conflict'],
      newSubject: () => ids.operationId('mov'),
      run: async ({ params, body, subject, orchestrations }) => {
        const tenant = await tenants.get(TenantScope.ofPlatform(params.tenantId))
        if (!tenant) return notFound
        if (tenant.state !== 'active' && tenant.state !== 'suspended')
          return new Problem('conflict', `A tenant that is ${tenant.state} cannot be moved.`)
        const input: MovingInput = body
        await orchestrations.start(movingName, subject, { tenantId: params.tenantId, input } satisfies ChecklistInput)
        return accepted({ operationId: subject, statusUrl: `/api/platform/operations/${subject}` })
      },
    }),
  },
})
