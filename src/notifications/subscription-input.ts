import { z } from 'zod'
import { idInput } from '../base/id-input'
import { severities } from '../alerts/severity'
import { noticeKind } from './notice'
import { parseSubscriptionId, type Subscription } from './subscription'
import { SUBSCRIPTIONS_MAX } from './subscriptions'
import { isTimeZone, minutesOf } from './zoned-time'

const NAME_CHARACTERS_MAX = 100
const URL_CHARACTERS_MAX = 2_000
const ADDRESSES_MAX = 5
const ADDRESS_CHARACTERS_MAX = 254
const KINDS_MAX = 50
const ZONE_CHARACTERS_MAX = 60

const subscriptionId = idInput({ prefixes: ['sub'], parse: parseSubscriptionId, of: 'a subscription' })
export const subscriptionParams = z.object({ subscriptionId })

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Must be a time of day such as 22:30')
  .meta({ example: '22:30' })

const webhook = z.strictObject({
  kind: z.literal('webhook'),
  url: z
    .string()
    .min(1)
    .max(URL_CHARACTERS_MAX)
    .meta({ description: 'https, and of a public address.', example: 'https://hooks.example.com/tenantry' }),
})
const email = z.strictObject({
  kind: z.literal('email'),
  to: z.array(z.email('Must be an e-mail address').max(ADDRESS_CHARACTERS_MAX)).min(1).max(ADDRESSES_MAX),
})
const eventGrid = z.strictObject({ kind: z.literal('event-grid') }).meta({ description: 'The platform’s own topic.' })

const fields = {
  name: z.string().trim().min(1).max(NAME_CHARACTERS_MAX),
  kinds: z
    .array(z.string().regex(noticeKind, 'Must be a kind of notices'))
    .max(KINDS_MAX)
    .optional()
    .meta({ description: 'Only notices of these kinds; absent: all, empty: none.' }),
  severityMin: z.enum(severities).default('notice').meta({ description: 'Only what matters as much.' }),
  timeZone: z
    .string()
    .max(ZONE_CHARACTERS_MAX)
    .refine(isTimeZone, 'Must be a time zone such as Europe/Berlin')
    .default('UTC')
    .meta({ description: 'By which the times below are meant.', example: 'Europe/Berlin' }),
  quietHours: z
    .strictObject({ from: timeOfDay, to: timeOfDay })
    .refine(({ from, to }) => minutesOf(from) !== minutesOf(to), 'Must not begin when they end')
    .optional()
    .meta({ description: 'What comes in them is told together when they end.' }),
  digest: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('hourly') }),
      z.strictObject({ kind: z.literal('daily'), at: timeOfDay }),
    ])
    .optional()
    .meta({ description: 'What came meanwhile is told together.' }),
  criticalWaits: z
    .boolean()
    .default(false)
    .meta({ description: 'Whether what is critical waits for the end of quiet hours and for the digest, too.' }),
}

export const tenantSubscriptionInput = z.strictObject({
  ...fields,
  channel: z.discriminatedUnion('kind', [webhook, email]),
})
export const platformSubscriptionInput = z.strictObject({
  ...fields,
  channel: z.discriminatedUnion('kind', [webhook, email, eventGrid]),
})
export type SubscriptionInput = z.output<typeof platformSubscriptionInput>

export const subscriptionView = z.object({
  id: z.string(),
  name: z.string(),
  channel: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('webhook'),
      url: z.string(),
      secretsUntil: z
        .array(z.iso.datetime().nullable())
        .meta({ description: 'Until when each of the secrets signs, the newest first; null: without an end.' }),
    }),
    z.object({ kind: z.literal('email'), to: z.array(z.string()) }),
    z.object({ kind: z.literal('event-grid') }),
  ]),
  kinds: z.array(z.string()).optional(),
  severityMin: z.enum(severities),
  timeZone: z.string(),
  quietHours: z.object({ from: z.string(), to: z.string() }).optional(),
  digest: z.object({ kind: z.enum(['hourly', 'daily']), at: z.string().optional() }).optional(),
  criticalWaits: z.boolean(),
  createdAt: z.iso.datetime(),
  off: z.object({ at: z.iso.datetime(), why: z.string() }).optional().meta({
    description: 'Nothing is sent any more, since its receiver is gone. A change of the subscription takes this back.',
  }),
})

/** At its creation and after a rotation, once. */
export const newSubscriptionView = subscriptionView.extend({
  secret: z.string().optional().meta({ description: 'Signs webhooks. It is shown this once.' }),
})

export const subscriptionsView = z.object({ subscriptions: z.array(subscriptionView).max(SUBSCRIPTIONS_MAX) })

export const testView = z.object({
  outcome: z.enum(['delivered', 'accepted', 'failed']).meta({
    description: '`accepted`: the mail service has it, and says later what became of it.',
  }),
  fault: z.string().optional(),
})

export function showSubscription(subscription: Subscription, nowMs: number) {
  const { channel, createdAt, off } = subscription
  return {
    ...subscription,
    channel: showChannel(channel, nowMs),
    createdAt: iso(createdAt),
    off: off && { ...off, at: iso(off.at) },
  }
}

function showChannel(channel: Subscription['channel'], nowMs: number) {
  if (channel.kind !== 'webhook') return channel
  const valid = channel.secrets.filter(({ until }) => until === undefined || until > nowMs)
  return {
    kind: channel.kind,
    url: channel.url,
    secretsUntil: valid.map(({ until }) => (until === undefined ? null : iso(until))),
  }
}

const iso = (ms: number) => new Date(ms).toISOString()
