import type { Orchestrations } from '../base/durable-steps'
import type { ModelId } from '../base/ids'
import { Problem } from '../base/problem'
import type { ChecklistInput } from '../checklists/run-checklist'
import type { TenantScope } from '../storage/tenant-scope'
import type { AliasPromotion } from './alias-promotion'
import { promotionName, type PromotionOrder } from './promotion-checklist'
import { stepsOf, type PromotionInput } from './promotion-input'
import type { Promotions } from './promotions'

/**
 * Begins a promotion somebody asked for; one that leads all calls at once is over when this returns. What stands in its way is
 * said here, before anything durable is begun. Repeated under the same operation it goes on where it broke off.
 */
export async function promoteModel(
  { promotions, orchestrations }: { promotions: Promotions; orchestrations: Pick<Orchestrations, 'start'> },
  scope: TenantScope,
  asked: { modelId: ModelId; input: PromotionInput; operationId: string; by: string },
): Promise<AliasPromotion | Problem> {
  const { modelId, input, operationId, by } = asked
  const { alias, rollBackOn } = input
  const steps = stepsOf(input)
  const begun = await promotions.begin(scope, { modelId, alias, steps, rollBackOn, operationId, by })
  if (begun instanceof Problem) return begun
  if (steps.every(({ minutes }) => minutes === 0)) {
    const advanced = await promotions.advance(scope, alias, operationId)
    if (advanced.kind === 'returned') return new Problem('conflict', `The alias was led back. ${advanced.why}`)
  } else {
    const order: PromotionOrder = { alias }
    await orchestrations.start(promotionName, operationId, {
      tenantId: scope.tenantId,
      input: order,
    } satisfies ChecklistInput)
  }
  return (await promotions.get(scope, alias)) ?? begun
}
