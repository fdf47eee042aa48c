import { z } from 'zod'
import type { ChecklistInput } from '../checklists/run-checklist'
import type { ControlPlane } from '../http/control-plane'
import { operatorEndpoint } from '../http/endpoint'
import type { HttpTrigger } from '../http/http-trigger'
import { accepted, notFound } from '../http/plain-request'
import { tenantParams } from '../http/request-params'
import { restoreInput, restoreName } from '../recovery/restore-checklist'
import { TenantScope } from '../storage/tenant-scope'

const operationStarted = z.object({ operationId: z.string(), statusUrl: z.string() })

/** Whether there is a replica at all the checklist says: it may be set up, or its tenant's residency change, until it runs. */
export const platformTenantRecoveryRestore = ({ tenants, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-recovery-restore',
  route: 'api/platform/tenants/{tenantId}/recovery/restore',
  endpoints: {
    POST: operatorEndpoint('platform.recovery.manage', {
      summary: 'Brings back what is missing of a tenant’s models and training data from the paired region.',
      params: tenantParams,
      body: restoreInput,
      answer: operationStarted,
      answerStatus: 202,
      newSubject: () => ids.operationId('rst'),
      run: async ({ params: { tenantId }, body, subject, orchestrations }) => {
        if (!(await tenants.get(TenantScope.ofPlatform(tenantId)))) return notFound
        await orchestrations.start(restoreName, subject, { tenantId, input: body } satisfies ChecklistInput)
        return accepted({ operationId: subject, statusUrl: `/api/platform/operations/${subject}` })
      },
    }),
  },
})
