import { z } from 'zod'
import { Problem } from '../../base/problem'
import type { ChecklistInput } from '../../checklists/run-checklist'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { accepted, notFound } from '../../http/plain-request'
import { modelParams, tenantParams } from '../../http/request-params'
import { rebuildName } from '../../recovery/rebuild-checklist'
import { rebuildInput, planRebuild } from '../../recovery/rebuild-request'
import { TenantScope } from '../../storage/tenant-scope'

const operationStarted = z.object({ operationId: z.string(), statusUrl: z.string() })

export const platformTenantModelRebuild = ({ recovery, registry, tenants, ids }: ControlPlane): HttpTrigger => ({
  name: 'platform-tenant-model-rebuild',
  route: 'api/platform/tenants/{tenantId}/models/{modelId}/rebuild',
  endpoints: {
    POST: operatorEndpoint('platform.recovery.manage', {
      summary: 'Trains a tenant’s tuned model again, from the same data and definition, in another account.',
      params: tenantParams.extend(modelParams.shape),
      body: rebuildInput,
      answer: operationStarted,
      answerStatus: 202,
      problems: ['conflict', 'no_stamp'],
      newSubject: () => ids.operationId('rbd'),
      run: async ({ params: { tenantId, modelId }, body, subject, orchestrations }) => {
        const scope = TenantScope.ofPlatform(tenantId)
        const record = await tenants.get(scope)
        const model = record && (await registry.get(scope, modelId))
        if (!model) return notFound
        const input = await planRebuild(recovery.planning, { scope, record, model }, body)
        if (input instanceof Problem) return input
        await orchestrations.start(rebuildName, subject, { tenantId, input } satisfies ChecklistInput)
        return accepted({ operationId: subject, statusUrl: `/api/platform/operations/${subject}` })
      },
    }),
  },
})
