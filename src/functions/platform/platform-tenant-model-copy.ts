import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ChecklistInput } from '../../checklists/run-checklist'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, notFound } from '../../http/plain-request'
import { modelParams, tenantParams } from '../../http/request-params'
import { copyName } from '../../recovery/copy-checklist'
import { copyInput, planCopy } from '../../recovery/copy-request'
import { TenantScope } from '../../storage/tenant-scope'

const operationStarted = z.object({ operationId: z.string(), statusUrl: z.string() })

export const platformTenantModelCopy = ({ recovery, registry, tenants, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-model-copy',
  route: 'api/platform/tenants/{tenantId}/models/{modelId}/copy-to-region',
  endpoints: {
    POST: operatorEndpoint('platform.recovery.manage', {
      summary: 'Deploys a tenant’s tuned model in another region as well, from the account that has it.',
      params: tenantParams.extend(modelParams.shape),
      body: copyInput,
      answer: operationStarted,
      answerStatus: 202,
      problems: ['conflict', 'no_stamp'],
      newSubject: () => ids.operationId('cpy'),
      run: async ({ params: { tenantId, modelId }, body, subject, orchestrations }) => {
        const scope = TenantScope.ofPlatform(tenantId)
        const record = await tenants.get(scope)
        const model = record && (await registry.get(scope, modelId))
        if (!model) return notFound
        const input = await planCopy(recovery.planning, { record, model }, body)
        if (input instanceof Problem) return input
        await orchestrations.start(copyName, subject, { tenantId, input } satisfies ChecklistInput)
        return accepted({ operationId: subject, statusUrl: `/api/platform/operations/${subject}` })
      },
    }),
  },
})
