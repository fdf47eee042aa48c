import { done, type Checklist, type Operation, type StepOutcome } from '../checklists/checklist'
import { Problem } from '../base/problem'
import type { Promotions } from './promotions'
import { TenantScope } from '../storage/tenant-scope'

/** The record of the promotion has all else; it stands under the alias, and says which operation it is of. */
export interface PromotionOrder {
  readonly alias: string
}

export const promotionName = 'promotion'

/** Twenty steps of a week each, and what an outage adds. */
const TIMEOUT_MS = 150 * 24 * 3_600_000
/** Hours of an outage, with 30 s between two attempts. */
const ATTEMPTS_MAX = 1_000

/**
 * Leads an alias over by rising shares. One step: where it stands is in the promotion's own record, which requests read and change
 * too. It stops where the alias was led back, by figures or by somebody: the record says why, and there is nothing to undo.
 */
export const promotionChecklist = (promotions: Pick<Promotions, 'advance'>): Checklist<PromotionOrder> => ({
  name: promotionName,
  onFailure: 'stop',
  steps: [
    {
      id: 'lead',
      timeoutMs: TIMEOUT_MS,
      attemptsMax: ATTEMPTS_MAX,
      do: async ({ tenantId, operationId, input }: Operation<PromotionOrder>): Promise<StepOutcome> => {
        const advanced = await promotions.advance(TenantScope.ofPlatform(tenantId), input.alias, operationId)
        switch (advanced.kind) {
          case 'led':
            return done({ alias: input.alias })
          case 'not-yet':
            return advanced
          case 'returned':
            return { kind: 'failed', problem: new Problem('conflict', `The alias was led back. ${advanced.why}`) }
        }
      },
    },
  ],
})
