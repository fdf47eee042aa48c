import { changeRecord } from '../encryption/change-record'
import type { SealedRecords } from '../encryption/sealed-records'
import { SealError, type TenantKeyring } from '../encryption/sealer'
import type { TenantScope } from '../storage/tenant-scope'
import { operatorsScope } from './outbox-rows'
import type { Subscription, SubscriptionId } from './subscription'

/**
 * Subscriptions lie among the sealed records of whom they are (I18): addresses of webhooks are often secrets themselves, and so they
 * move, are resealed and go with their tenant.
 */
export interface Subscriptions {
  /** In the order in which they were made; none where the owner's key is gone. */
  list(owner: TenantScope): Promise<readonly Subscription[]>
  /** Those that are told something: for a tenant without any, its contact by mail. */
  listening(owner: TenantScope): Promise<readonly Subscription[]>
  get(owner: TenantScope, id: SubscriptionId): Promise<Subscription | undefined>
  /** The one that is there then: a creation that is repeated finds its own. */
  add(owner: TenantScope, subscription: Subscription): Promise<Subscription>
  /** Undefined where there is none. The same value back changes nothing. */
  change(
    owner: TenantScope,
    id: SubscriptionId,
    edit: (subscription: Subscription) => Subscription,
  ): Promise<Subscription | undefined>
  /** A missing one is no error. */
  remove(owner: TenantScope, id: SubscriptionId): Promise<void>
}

export interface SubscriptionDeps {
  readonly records: SealedRecords
  readonly keyring: Pick<TenantKeyring, 'create'>
  /** Whom a tenant's onboarding has entered; undefined where there is nobody, or no mail. */
  readonly contactOf: (owner: TenantScope) => Promise<string | undefined>
}

/** Of one owner. */
export const SUBSCRIPTIONS_MAX = 50
/** What their ids among the sealed records begin with. */
export const SUBSCRIPTION_RECORDS = 'subscriptions-'
/** Of every tenant's contact. */
export const CONTACT_ID: SubscriptionId = `sub_${'0'.repeat(26)}`

export function createSubscriptions({ records, keyring, contactOf }: SubscriptionDeps): Subscriptions {
  const isOperators = (owner: TenantScope) => owner.tenantId === operatorsScope.tenantId
  const contact = async (owner: TenantScope) => {
    const email = isOperators(owner) ? undefined : await contactOf(owner)
    return email === undefined ? undefined : contactSubscription(email)
  }
  const list = async (owner: TenantScope) => {
    const found: Subscription[] = []
    try {
      for await (const { value } of records.values<Subscription>(owner, SUBSCRIPTION_RECORDS))
        if (found.push(value) >= SUBSCRIPTIONS_MAX) break
    } catch (error) {
      // Of a tenant that goes, or of operators before their first subscription.
      if (error instanceof SealError && error.kind === 'no-key') return []
      throw error
    }
    return found
  }
  return {
    list,
    listening: async (owner) => {
      const own = await list(owner)
      const usual = own.length > 0 ? undefined : await contact(owner)
      return usual ? [usual] : own
    },
    get: async (owner, id) =>
      id === CONTACT_ID ? contact(owner) : (await records.get<Subscription>(owner, SUBSCRIPTION_RECORDS + id))?.value,
    add: async (owner, subscription) => {
      // A tenant has its key from its onboarding; the operators' is made with their first subscription.
      if (isOperators(owner)) await keyring.create(owner)
      const edit = (found: Subscription | undefined) => found ?? subscription
      return (
        (await changeRecord<Subscription>(records, owner, SUBSCRIPTION_RECORDS + subscription.id, edit)) ?? subscription
      )
    },
    change: (owner, id, edit) =>
      changeRecord<Subscription>(records, owner, SUBSCRIPTION_RECORDS + id, (found) => found && edit(found)),
    remove: (owner, id) => records.remove(owner, SUBSCRIPTION_RECORDS + id),
  }
}

/** What matters, when it happens: whoever wants it otherwise subscribes. */
const contactSubscription = (email: string): Subscription => ({
  id: CONTACT_ID,
  name: 'contact',
  channel: { kind: 'email', to: [email] },
  severityMin: 'warning',
  timeZone: 'UTC',
  criticalWaits: false,
  createdAt: 0,
})
