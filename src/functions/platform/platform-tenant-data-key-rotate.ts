import { z } from 'zod'
import type { ChecklistInput } from '../../checklists/run-checklist'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, notFound } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { rotationName } from '../../moving/rotation-checklist'
import { TenantScope } from '../../storage/tenant-scope'

const operationStarted = z.object({ operationId: z.string(), statusUrl: z.string() })

export const platformTenantDataKeyRotate = ({ keyring, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-data-key-rotate',
  route: 'api/platform/tenants/{tenantId}/data-key/rotate',
  endpoints: {
    POST: operatorEndpoint('platform.tenants.manage', {
      summary: 'Gives a tenant a new data key and seals everything with it.',
      params: tenantParams,
      answer: operationStarted,
      answerStatus: 202,
      newSubject: () => ids.operationId('rot'),
      run: async ({ params, subject, orchestrations }) => {
        if ((await keyring.versions(TenantScope.ofPlatform(params.tenantId))).length === 0) return notFound
        await orchestrations.start(rotationName, subject, {
          tenantId: params.tenantId,
          input: {},
        } satisfies ChecklistInput)
        return accepted({ operationId: subject, statusUrl: `/api/platform/operations/${subject}` })
      },
    }),
  },
})
