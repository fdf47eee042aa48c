import { z } from 'zod'
import type { ChecklistInput } from '../../checklists/run-checklist'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, notFound } from '../../http/plain-request'
import { tenantParams } from '../../http/request-params'
import { restoreInput, restoreName } from '../../recovery/restore-checklist'
import { TenantScope } from '../../storage/tenant-scope'

const operationStarted = z.object({ operationId: z.string(), statusUrl: z.string() })

/** What is refused at once the checklist asks again: a tenant’s residency may change until it runs. */
export const platformTenantRecoveryRestore = ({ recovery, tenants, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-recovery-restore',
  route: 'api/platform/tenants/{tenantId}/recovery/restore',
  endpoints: {
    POST: operatorEndpoint('platform.recovery.manage', {
      summary: 'Brings back what is missing of a tenant’s models and training data from the paired region.',
      params: tenantParams,
      body: restoreInput,
      answer: operationStarted,
      answerStatus: 202,
      problems: ['conflict'],
      newSubject: () => ids.operationId('rst'),
      run: async ({ params: { tenantId }, body, subject, orchestrations }) => {
        const scope = TenantScope.ofPlatform(tenantId)
        if (!(await tenants.get(scope))) return notFound
        const refused = await recovery.whyNoRestore(scope)
        if (refused) return refused
        await orchestrations.start(restoreName, subject, { tenantId, input: body } satisfies ChecklistInput)
        return accepted({ operationId: subject, statusUrl: `/api/platform/operations/${subject}` })
      },
    }),
  },
})
