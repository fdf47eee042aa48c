import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAlertReceivers } from '../../src/alerts/alert-receivers'
import { alertStorage, createAlerts } from '../../src/alerts/alerts'
import { createSmallHttp } from '../../src/azure/small-http'
import type { TenantId } from '../../src/base/ids'
import { dataKeyStorage } from '../../src/encryption/tenant-keys'
import {
  assembleNotifications,
  outboxRowsIn,
  type NotificationSettings,
} from '../../src/notifications/assemble-notifications'
import type { Delivery } from '../../src/notifications/delivery'
import type { Notice } from '../../src/notifications/notice'
import { DELIVERY, dueUntil, operatorsScope, outboxStorage } from '../../src/notifications/outbox-rows'
import type { SubscriptionInput } from '../../src/notifications/subscription-input'
import { Problem } from '../../src/base/problem'
import { fromJsonColumns } from '../../src/storage/json-columns'
import { placeStorage } from '../../src/storage/places'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable } from '../../src/storage/tenant-table'
import { tenantStorage } from '../../src/tenants/tenants'
import { handClock, type HandClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { tenantParts } from '../harness/tenant-parts'
import { silentLog } from '../metering/read-all'

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Answered {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: object
}

/** A real HTTP server that keeps what it gets and answers as it is told, by default with 200. `hold` keeps answers back. */
export async function aReceiver(
  answer: (received: Received) => Answered | Promise<Answered> = () => ({ status: 200 }),
) {
  const received: Received[] = []
  let answering = answer
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      }
      received.push(one)
      void Promise.resolve(answering(one)).then(({ status, headers = {}, body }) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers })
        response.end(body === undefined ? '' : JSON.stringify(body))
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    answer: (next: typeof answer) => void (answering = next),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
export type Receiver = Awaited<ReturnType<typeof aReceiver>>

/** Subscriptions and an outbox on Azurite with real HTTP to real servers; the clock is moved by hand. */
export async function notificationWorld(given: Partial<NotificationSettings> = {}) {
  const storage = freshStorage()
  for (const needs of [tenantStorage, dataKeyStorage, placeStorage, alertStorage, outboxStorage])
    await storage.ensure(needs)
  const clock = handClock()
  const parts = tenantParts({ storage, clock, log: silentLog, knownBackends: async (wanted) => new Set(wanted) })
  const gone = new Set<TenantId>()
  const smallHttp = createSmallHttp()
  const settings = { mail: undefined, eventGridTopicUrl: undefined, webhookHostsOpen: ['127.0.0.1'], ...given }
  const asked: string[] = []
  const openInstances: { close: () => Promise<void> }[] = []
  /** As another instance of the app has it; nothing is sent before `send`, lest a test race it. */
  const instance = (own: { clock?: HandClock } = {}) => {
    const alerts = createAlerts({ rows: platformTable(storage.table('alerts')), clock })
    const made = assembleNotifications({
      ...parts,
      storage,
      alerts,
      identity: {
        getToken: async (scopes) => {
          asked.push(String(scopes))
          return { token: `a-token-for ${String(scopes)}`, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }
        },
      },
      smallHttp,
      tenantOf: (tenantId) => (gone.has(tenantId) ? undefined : ({ state: 'active' } as never)),
      settings,
      publicUrl: 'https://platform.example',
      clock: own.clock ?? clock,
      log: silentLog,
    })
    openInstances.push(made)
    return { ...made, alerts }
  }
  const first = instance()
  const rows = outboxRowsIn(storage)

  return {
    ...parts,
    ...first,
    storage,
    clock,
    rows,
    instance,
    gone,
    receivers: createAlertReceivers(tenantTable(storage.table('alerts'))),
    /** Scopes of the tokens that were asked for. */
    asked,
    newTenant: async () => {
      const scope = TenantScope.ofPlatform(parts.ids.tenantId())
      await parts.keyring.create(scope)
      return scope
    },
    subscribe: async (owner: TenantScope, input: Partial<SubscriptionInput> & Pick<SubscriptionInput, 'channel'>) => {
      const made = await first.desk.create(owner, first.desk.newId(), {
        name: 'a subscription',
        severityMin: 'notice',
        timeZone: 'UTC',
        criticalWaits: false,
        ...input,
      })
      if (made instanceof Problem) throw new Error(made.public)
      return { ...made.subscription, secret: made.secret ?? '' }
    },
    publish: (id: string, more: Partial<Notice> = {}) => first.notifications.publish(aNotice(id, more)),
    deliveries: async (owner: TenantScope = operatorsScope) => {
      const found: Delivery[] = []
      for await (const { columns } of rows.owned.range(owner, DELIVERY, 'delivery.'))
        found.push(fromJsonColumns(columns))
      return found
    },
    /** Rows that lead to something, due before then. */
    due: async (untilMs: number) => {
      const { from, to } = dueUntil(untilMs)
      const found: string[] = []
      for await (const { rowKey } of rows.index.range(from, to)) found.push(rowKey)
      return found
    },
    close: async () => {
      await Promise.all(openInstances.map((each) => each.close()))
      await smallHttp.close()
    },
  }
}
export type NotificationWorld = Awaited<ReturnType<typeof notificationWorld>>

export const aNotice = (id: string, more: Partial<Notice> = {}): Notice => ({
  id,
  kind: 'report',
  audience: 'operators',
  severity: 'warning',
  title: `title of ${id}`,
  text: `text of ${id}`,
  ...more,
})

export const idsIn = (received: readonly Received[]) =>
  received.map(({ body }) => {
    const { data } = JSON.parse(body) as { data: { id?: string; notices?: { id: string }[] } }
    return data.notices ? data.notices.map(({ id }) => id).join('+') : (data.id ?? '')
  })

/** A wait for what happens behind an answer; a test that waits in vain says for what. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 12_000; tries++) {
    if (await isSo()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`it never came to this: ${what}`)
}
