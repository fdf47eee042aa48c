import { Problem } from '../base/problem'
import type { Clock } from '../base/clock'
import { created, noContent, notFound, ok, type Answer } from '../http/plain-request'
import type { Shown, SubscriptionDesk } from '../notifications/subscription-desk'
import type { SubscriptionId } from '../notifications/subscription'
import { showSubscription, type SubscriptionInput } from '../notifications/subscription-input'
import type { TenantScope } from '../storage/tenant-scope'

/** What operators and tenants are answered about their own subscriptions, under `path`. */
export function subscriptionAnswers({ desk, clock }: { desk: SubscriptionDesk; clock: Clock }, owner: TenantScope) {
  const shown = ({ subscription, secret }: Shown) => ({ ...showSubscription(subscription, clock.now()), secret })
  return {
    list: async (): Promise<Answer> => {
      const subscriptions = await desk.list(owner)
      return ok({ subscriptions: subscriptions.map((each) => showSubscription(each, clock.now())) })
    },
    create: async (path: string, subject: string, input: SubscriptionInput): Promise<Answer | Problem> => {
      const made = await desk.create(owner, subject, input)
      return made instanceof Problem ? made : created(shown(made), { location: `${path}/${made.subscription.id}` })
    },
    get: async (id: SubscriptionId): Promise<Answer | Problem> => {
      const subscription = await desk.get(owner, id)
      return subscription ? ok(showSubscription(subscription, clock.now())) : notFound
    },
    replace: async (id: SubscriptionId, input: SubscriptionInput): Promise<Answer | Problem> => {
      const subscription = (await desk.replace(owner, id, input)) ?? notFound
      return subscription instanceof Problem ? subscription : ok(showSubscription(subscription, clock.now()))
    },
    remove: async (id: SubscriptionId): Promise<Answer | Problem> =>
      (await desk.remove(owner, id)) ? noContent : notFound,
    rotateSecret: async (id: SubscriptionId): Promise<Answer | Problem> => {
      const made = (await desk.rotateSecret(owner, id)) ?? notFound
      return made instanceof Problem ? made : ok(shown(made))
    },
    test: async (id: SubscriptionId): Promise<Answer | Problem> => {
      const result = (await desk.test(owner, id)) ?? notFound
      return result instanceof Problem ? result : ok(result)
    },
  }
}
