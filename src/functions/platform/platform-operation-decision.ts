import { z } from 'zod'
import { Problem } from '../../base/problem'
import { isWaitingForDecision } from '../../checklists/operation-view'
import { decisionEvent } from '../../checklists/checklist'
import type { ControlPlane } from '../../http/control-plane'
import { operatorEndpoint } from '../../http/endpoint'
import type { HttpTrigger } from '../../http/http-trigger'
import { noContent, notFound } from '../../http/plain-request'
import { operationParams } from '../../http/request-params'

const REASON_CHARACTERS_MAX = 500

const decision = z.strictObject({
  approved: z.boolean(),
  reason: z.string().trim().min(1).max(REASON_CHARACTERS_MAX).optional(),
})

/** Approves or rejects what an operation waits for. The first decision counts. */
export const platformOperationDecision = (_: ControlPlane): HttpTrigger => ({
  name: 'platform-operation-decision',
  route: 'api/platform/operations/{operationId}/decision',
  endpoints: {
    POST: operatorEndpoint('platform.tenants.manage', {
      summary: 'Approves or rejects an operation that waits for approval.',
      params: operationParams,
      body: decision,
      run: async ({ params, body, operator, orchestrations }) => {
        const found = await orchestrations.status(params.operationId)
        if (!found) return notFound
        if (!isWaitingForDecision(found)) return new Problem('conflict', 'This operation does not wait for a decision.')
        await orchestrations.raise(params.operationId, decisionEvent, { ...body, by: operator.name })
        return noContent
      },
    }),
  },
})
