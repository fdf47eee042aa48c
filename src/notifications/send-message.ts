import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import type { Outcome } from './delivery'
import { sendEmail, type EmailDeps } from './email-channel'
import { sendEvent, type EventGridDeps } from './event-grid-channel'
import type { Message } from './message'
import type { TenantScope } from '../storage/tenant-scope'
import type { Channel, Subscription } from './subscription'
import { sendWebhook } from './webhook-channel'
import type { WebhookHttp } from './webhook-http'

/** By which ways messages can go; undefined where the installation has none. */
export interface Ways {
  readonly webhooks: Pick<WebhookHttp, 'post' | 'faultOf'>
  readonly email: EmailDeps | undefined
  readonly eventGrid: EventGridDeps | undefined
  readonly clock: Clock
}

/** One attempt; never rejects. `operation`: of a mail that was handed over before. */
export async function sendMessage(
  ways: Ways,
  channel: Channel,
  { message, operation }: { message: Message; operation: string | undefined },
): Promise<Outcome> {
  switch (channel.kind) {
    case 'webhook':
      return sendWebhook({ http: ways.webhooks, clock: ways.clock }, channel, message)
    case 'email':
      return ways.email
        ? sendEmail(ways.email, { to: channel.to, message, operation })
        : noWay('no mail service is set up')
    case 'event-grid':
      return ways.eventGrid ? sendEvent(ways.eventGrid, message) : noWay('no Event Grid topic is set up')
    default:
      return assertNever(channel)
  }
}

/** It may be set up within the day. */
const noWay = (fault: string): Outcome => ({ kind: 'again', fault })

/** Messages in one lane go one after another; who is slow, or has many, holds up nobody in others. */
export const laneOf = ({ id, channel }: Subscription, { tenantId }: TenantScope): string =>
  channel.kind === 'webhook' ? id : `${channel.kind}/${tenantId}`

/**
 * Whose failures count together: a webhook's are its own, since at one host there may be good and bad ones of several tenants; those of a
 * service are everybody's who goes by it.
 */
export const circuitOf = ({ id, channel }: Subscription): string => (channel.kind === 'webhook' ? id : channel.kind)
