import type { TokenCredential } from '@azure/core-auth'
import { createAlertReceivers } from '../alerts/alert-receivers'
import type { Alerts } from '../alerts/alerts'
import type { SmallHttp } from '../azure/small-http'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { TenantId } from '../base/ids'
import type { Log } from '../base/log'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantKeyring } from '../encryption/sealer'
import type { StorageAccount } from '../storage/connect'
import { platformTable } from '../storage/platform-table'
import { tenantTable } from '../storage/tenant-table'
import type { TenantSnapshot } from '../tenants/snapshot'
import { createCircuits } from './circuits'
import { createDeadLetters } from './dead-letters'
import { createDispatcher } from './dispatcher'
import type { MailService } from './email-channel'
import { createOutbox, type OutboxRows } from './outbox'
import { createSender } from './send-due'
import type { Ways } from './send-message'
import { createSubscriptionDesk } from './subscription-desk'
import { createSubscriptions } from './subscriptions'
import { tellAlerts } from './tell-alerts'
import { createUndelivered } from './undelivered'
import { createWebhookHttp } from './webhook-http'

export interface NotificationParts {
  readonly storage: StorageAccount
  readonly records: SealedRecords
  readonly keyring: Pick<TenantKeyring, 'create'>
  readonly alerts: Pick<Alerts, 'raise' | 'resolve'>
  readonly identity: TokenCredential
  readonly smallHttp: Pick<SmallHttp, 'send'>
  readonly tenantOf: (tenantId: TenantId) => TenantSnapshot | undefined | Promise<TenantSnapshot | undefined>
  readonly settings: NotificationSettings
  /** Of the platform, for the `source` of events. */
  readonly publicUrl: string
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

export interface NotificationSettings {
  /** Undefined: no mail is sent. */
  readonly mail: MailService | undefined
  /** Undefined: there is no topic. */
  readonly eventGridTopicUrl: string | undefined
  /** Hosts that webhooks may go to though they are private or speak plain http. */
  readonly webhookHostsOpen: readonly string[]
}

export const outboxRowsIn = (storage: StorageAccount): OutboxRows => ({
  owned: tenantTable(storage.table('notifications')),
  index: platformTable(storage.table('notifications')),
})

/** Everything of notifications, put together. */
export function assembleNotifications(parts: NotificationParts) {
  const { storage, settings, tenantOf, identity, clock, log } = parts
  const rows = outboxRowsIn(storage)
  const receivers = createAlertReceivers(tenantTable(storage.table('alerts')))
  const subscriptions = createSubscriptions({
    ...parts,
    contactOf: async (owner) => (settings.mail ? (await receivers.get(owner))?.email : undefined),
  })
  const webhooks = createWebhookHttp({ openHosts: settings.webhookHostsOpen })
  const azure = { identity, http: parts.smallHttp, clock }
  const { mail, eventGridTopicUrl: topicUrl } = settings
  const ways: Ways = {
    webhooks,
    email: mail && { ...azure, mail },
    eventGrid: topicUrl === undefined ? undefined : { ...azure, topicUrl, publicUrl: parts.publicUrl },
    clock,
  }
  const circuits = createCircuits(clock)
  const undelivered = createUndelivered(parts.alerts)
  const dispatcher = createDispatcher({
    tell: () => tellAlerts({ rows: platformTable(storage.table('alerts')), notifications, log }),
    sender: createSender({ ...parts, rows, subscriptions, ways, circuits, onEnd: undelivered.ended }),
    clock,
    log,
  })
  const { wake } = dispatcher
  const notifications = createOutbox({
    rows,
    subscriptions,
    isThere: async (tenantId) => {
      const state = (await tenantOf(tenantId))?.state
      return state === 'active' || state === 'suspended'
    },
    clock,
    wake,
  })
  return {
    notifications,
    /** For the timer; how much was done. */
    send: dispatcher.run,
    /** Something is there to be told: looks at once, and returns before. */
    wake,
    desk: createSubscriptionDesk({ ...parts, subscriptions, ways, undelivered }),
    deadLetters: createDeadLetters({ rows, clock, wake }),
    close: async () => {
      await dispatcher.close()
      await webhooks.close()
    },
  }
}
