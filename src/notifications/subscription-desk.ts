import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import { Problem } from '../base/problem'
import type { TenantScope } from '../storage/tenant-scope'
import { assertNever } from '../base/assert'
import type { Notice } from './notice'
import { singleId } from './plan-deliveries'
import { sendMessage, type Ways } from './send-message'
import {
  newSubscriptionId,
  parseSubscriptionId,
  type Channel,
  type Subscription,
  type SubscriptionId,
} from './subscription'
import type { SubscriptionInput } from './subscription-input'
import { CONTACT_ID, SUBSCRIPTIONS_MAX, type Subscriptions } from './subscriptions'
import type { Undelivered } from './undelivered'
import { newSecret, rotated } from './webhook-signature'

/** What owners do with their subscriptions: the operators, and each tenant with its own. */
export interface SubscriptionDesk {
  newId(): SubscriptionId
  list(owner: TenantScope): Promise<readonly Subscription[]>
  get(owner: TenantScope, id: SubscriptionId): Promise<Subscription | undefined>
  /** With the secret of a webhook, which is shown this once. */
  create(owner: TenantScope, id: string, input: SubscriptionInput): Promise<Shown | Problem>
  /** In place of everything but its secrets; what was off is on again. Undefined where there is none. */
  replace(owner: TenantScope, id: SubscriptionId, input: SubscriptionInput): Promise<Subscription | Problem | undefined>
  remove(owner: TenantScope, id: SubscriptionId): Promise<boolean>
  /** A new secret, beside which the one before signs for `OVERLAP_MS`. */
  rotateSecret(owner: TenantScope, id: SubscriptionId): Promise<Shown | Problem | undefined>
  /** Sends one message at once, past the outbox, and says what came of it. */
  test(owner: TenantScope, id: SubscriptionId): Promise<TestResult | Problem | undefined>
}

export interface Shown {
  readonly subscription: Subscription
  readonly secret: string | undefined
}

export interface TestResult {
  readonly outcome: 'delivered' | 'accepted' | 'failed'
  readonly fault?: string | undefined
}

export interface SubscriptionDeskDeps {
  readonly subscriptions: Subscriptions
  readonly ways: Ways
  readonly undelivered: Pick<Undelivered, 'forgotten'>
  readonly clock: Clock
  readonly chance: Chance
}

/**
 * Between two tests of one owner's subscriptions by an instance, whichever: it is no way to have us call, or mail, somebody as often as
 * one likes.
 */
const TEST_PAUSE_MS = 10_000
const OWNERS_KNOWN_MAX = 10_000

export function createSubscriptionDesk(deps: SubscriptionDeskDeps): SubscriptionDesk {
  const { subscriptions, ways, undelivered, clock, chance } = deps
  const tested = new Map<TenantId, number>()
  return {
    newId: () => newSubscriptionId({ clock, chance }),
    list: subscriptions.list,
    get: (owner, id) => subscriptions.get(owner, id),
    create: async (owner, subject, input) => {
      const id = parseSubscriptionId(subject)
      if (!id) throw new RangeError(`${subject} is no id of a subscription`)
      const refused = refusalOf(ways, input.channel)
      if (refused) return refused
      const others = (await subscriptions.list(owner)).filter((other) => other.id !== id)
      if (others.length >= SUBSCRIPTIONS_MAX)
        return new Problem('conflict', `There are ${SUBSCRIPTIONS_MAX} subscriptions already, which is the most.`)
      const channel: Channel =
        input.channel.kind === 'webhook'
          ? { ...input.channel, secrets: [{ secret: newSecret(chance) }] }
          : input.channel
      const subscription = await subscriptions.add(owner, { ...input, id, channel, createdAt: clock.now() })
      // From now on its contact is told nothing.
      await undelivered.forgotten(owner, CONTACT_ID)
      return { subscription, secret: newestSecret(subscription) }
    },
    replace: async (owner, id, input) => {
      const known = await subscriptions.get(owner, id)
      if (!known) return undefined
      if (known.channel.kind !== input.channel.kind)
        return new Problem('invalid_request', `This subscription is of the channel "${known.channel.kind}" for good.`, {
          param: 'channel.kind',
        })
      return (
        refusalOf(ways, input.channel) ??
        subscriptions.change(owner, id, ({ channel, createdAt }) => ({
          ...input,
          id,
          createdAt,
          channel: withSecretsOf(input.channel, channel),
        }))
      )
    },
    remove: async (owner, id) => {
      const known = await subscriptions.get(owner, id)
      await subscriptions.remove(owner, id)
      await undelivered.forgotten(owner, id)
      return known !== undefined
    },
    rotateSecret: async (owner, id) => {
      const made = newSecret(chance)
      const known = await subscriptions.get(owner, id)
      if (known && known.channel.kind !== 'webhook') return new Problem('conflict', 'Only webhooks have a secret.')
      const subscription = await subscriptions.change(owner, id, (found) =>
        found.channel.kind === 'webhook'
          ? { ...found, channel: { ...found.channel, secrets: rotated(found.channel.secrets, made, clock.now()) } }
          : found,
      )
      return subscription && { subscription, secret: made }
    },
    test: async (owner, id) => {
      const subscription = await subscriptions.get(owner, id)
      if (!subscription) return undefined
      const { tenantId } = owner
      const waitMs = (tested.get(tenantId) ?? Number.NEGATIVE_INFINITY) + TEST_PAUSE_MS - clock.monotonicMs()
      if (waitMs > 0) return tooSoon(waitMs)
      tested.delete(tenantId)
      tested.set(tenantId, clock.monotonicMs())
      const [oldest] = tested.keys()
      if (tested.size > OWNERS_KNOWN_MAX && oldest !== undefined) tested.delete(oldest)
      return testOf(ways, subscription, clock.now())
    },
  }
}

async function testOf(ways: Ways, subscription: Subscription, nowMs: number): Promise<TestResult> {
  const notice: Notice = {
    id: `test/${subscription.id}/${nowMs}`,
    kind: 'test',
    audience: 'operators',
    severity: 'notice',
    title: `A test of the subscription “${subscription.name}”`,
    text: 'If you can read this, notifications arrive. Nothing has happened.',
  }
  const id = singleId(subscription, notice)
  const message = { id, at: nowMs, dueSince: nowMs, notices: [notice], more: 0, isDigest: false } as const
  const outcome = await sendMessage(ways, subscription.channel, { message, operation: undefined })
  switch (outcome.kind) {
    case 'delivered':
    case 'accepted':
      return { outcome: outcome.kind }
    case 'again':
    case 'refused':
    case 'gone':
      return { outcome: 'failed', fault: outcome.fault }
    default:
      return assertNever(outcome)
  }
}

const tooSoon = (retryAfterMs: number) =>
  new Problem('rate_limit_exceeded', `One test in ${TEST_PAUSE_MS / 1_000} seconds.`, { retryAfterMs })

/** Undefined where messages can go that way. */
function refusalOf({ webhooks, email, eventGrid }: Ways, channel: SubscriptionInput['channel']): Problem | undefined {
  switch (channel.kind) {
    case 'webhook': {
      const fault = webhooks.faultOf(channel.url)
      return fault === undefined ? undefined : new Problem('invalid_request', `${fault}.`, { param: 'channel.url' })
    }
    case 'email':
      return email ? undefined : new Problem('conflict', 'This installation sends no mail.', { param: 'channel.kind' })
    case 'event-grid':
      return eventGrid
        ? undefined
        : new Problem('conflict', 'This installation has no Event Grid topic.', { param: 'channel.kind' })
    default:
      return assertNever(channel)
  }
}

function withSecretsOf(input: SubscriptionInput['channel'], known: Channel): Channel {
  if (input.kind !== 'webhook') return input
  return { ...input, secrets: known.kind === 'webhook' ? known.secrets : [] }
}

const newestSecret = ({ channel }: Subscription) =>
  channel.kind === 'webhook' ? channel.secrets[0]?.secret : undefined
