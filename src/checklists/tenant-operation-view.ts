import { z } from 'zod'
import type { OrchestrationStatus } from '../base/durable-steps'
import type { OperationId, TenantId } from '../base/ids'
import { operationView } from './operation-view'

const full = operationView.schema.shape
const step = full.steps.element

const schema = z
  .object({
    operationId: full.operationId,
    state: full.state,
    steps: z.array(step.omit({ error: true }).extend({ error: z.object({ code: z.string() }).optional() })),
    createdAt: full.createdAt,
    updatedAt: full.updatedAt,
  })
  .meta({ id: 'TenantOperation' })

/**
 * An operation as the tenant sees it that began it: the words of its faults are for operators, since they name accounts and resources.
 * Undefined for one of another tenant's.
 */
export const tenantOperationView = {
  schema,
  of: (
    tenantId: TenantId,
    operationId: OperationId,
    found: OrchestrationStatus,
  ): z.infer<typeof schema> | undefined => {
    const view = operationView.of(operationId, found, { links: [] })
    if (view.tenantId !== tenantId) return undefined
    const { state, steps, createdAt, updatedAt } = view
    const shown = steps.map(({ error, ...rest }) => ({ ...rest, ...(error ? { error: { code: error.code } } : {}) }))
    return { operationId, state, steps: shown, createdAt, updatedAt }
  },
}
