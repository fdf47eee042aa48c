import { z } from 'zod'
import { isPlatformOwner } from '../tenants/platform-owner'
import type { DeadLetter } from './dead-letters'
import { ledTo } from './outbox-rows'

export const deadLetterId = z
  .string()
  .max(200)
  .regex(/^dead-\d{13}-ten_[0-9a-z]{26}-dlv_[0-9a-f]{40}$/, 'Must be the id of a dead letter')
export const deadLetterParams = z.object({ deadLetterId })

export const deadLetterView = z.object({
  id: z.string(),
  messageId: z.string().meta({ description: 'By which the receiver knows the message.' }),
  tenantId: z.string().optional().meta({ description: 'Whose it is; absent: the operators’.' }),
  subscriptionId: z.string(),
  notices: z.int().meta({ description: 'How many it tells.' }),
  kind: z.string().optional().meta({ description: 'Of the first of them.' }),
  attempts: z.int(),
  fault: z.string().optional(),
  diedAt: z.iso.datetime(),
})

export function showDeadLetter({ id, diedAt, delivery, notice }: DeadLetter) {
  const owner = ledTo(id)?.owner.tenantId
  return {
    id,
    messageId: delivery.id,
    tenantId: owner !== undefined && isPlatformOwner(owner) ? undefined : owner,
    subscriptionId: delivery.subscriptionId,
    notices: delivery.notices.length + delivery.more,
    kind: notice?.kind,
    attempts: delivery.attempts,
    fault: delivery.fault,
    diedAt: new Date(diedAt).toISOString(),
  }
}
