import { createWebhookHttp } from '../../src/notifications/webhook-http'
import { createCircuits } from '../../src/notifications/circuits'
import { createOutbox, type OutboxRows } from '../../src/notifications/outbox'
import { operatorsScope } from '../../src/notifications/outbox-rows'
import { createSender, LEASE_MS } from '../../src/notifications/send-due'
import { createSubscriptions } from '../../src/notifications/subscriptions'
import type { Columns, PartitionTable } from '../../src/storage/partition-table'
import { seededFraction } from '../../src/base/seeded-fraction'
import { silentLog } from '../metering/read-all'
import { aNotice, aReceiver, idsIn, notificationWorld, until } from './notification-world'

const NOTICES = 20
const FAULTS_SHARE = 0.12
const ROWS_PER_LOOK = 5
const HOUR_MS = 3_600_000
const seeds = [1, 2]

/** Storage that fails: some operations are not done, others are done and do not say so. */
function failing(rows: OutboxRows, isFaulty: () => boolean, fraction: () => number): OutboxRows {
  const maybe = async <T>(operation: () => Promise<T>): Promise<T> => {
    if (!isFaulty() || fraction() >= FAULTS_SHARE) return operation()
    if (fraction() < 0.5) await operation()
    throw new Error('storage failed')
  }
  const table = (real: PartitionTable<Columns>): PartitionTable<Columns> => ({
    ...real,
    get: (key) => maybe(() => real.get(key)),
    insert: (key, columns) => maybe(() => real.insert(key, columns)),
    replace: (key, columns, etag) => maybe(() => real.replace(key, columns, etag)),
    change: (changes) => maybe(() => real.change(changes)),
    put: (key, columns) => maybe(() => real.put(key, columns)),
    remove: (key, etag) => maybe(() => real.remove(key, etag)),
  })
  const { owned, index } = rows
  return {
    index: table(index),
    owned: {
      ...owned,
      partition: (owner) => table(owned.partition(owner)),
      get: (owner, key) => maybe(() => owned.get(owner, key)),
      replace: (owner, key, columns, etag) => maybe(() => owned.replace(owner, key, columns, etag)),
      remove: (owner, key) => maybe(() => owned.remove(owner, key)),
    },
  }
}

type SenderDeps = Parameters<typeof createSender>[0]

/** A sender that has no other way than webhooks. */
const senderDeps = (
  { clock, chance }: Pick<SenderDeps, 'clock' | 'chance'>,
  { webhooks, ...parts }: Pick<SenderDeps, 'rows' | 'subscriptions'> & Pick<SenderDeps['ways'], 'webhooks'>,
): SenderDeps => ({
  ...parts,
  ways: { webhooks, email: undefined, eventGrid: undefined, clock },
  circuits: createCircuits(clock),
  onEnd: async () => {},
  clock,
  chance,
  log: silentLog,
})

it.each(seeds)(
  'storage and receivers that fail at random lose no notice whose publication resolved, and make no second message of one (seed %d)',
  async (seed) => {
    const world = await notificationWorld()
    const fraction = seededFraction(seed)
    const receiver = await aReceiver(() => ({ status: isStormy && fraction() < 0.3 ? 503 : 200 }))
    let isStormy = true
    await world.subscribe(operatorsScope, { channel: { kind: 'webhook', url: `${receiver.url}/at-once` } })
    await world.subscribe(operatorsScope, {
      channel: { kind: 'webhook', url: `${receiver.url}/joined` },
      digest: { kind: 'hourly' },
    })
    const rows = failing(world.rows, () => isStormy, fraction)
    const webhooks = createWebhookHttp({ openHosts: ['127.0.0.1'] })
    const subscriptions = createSubscriptions({ ...world, contactOf: async () => undefined })
    const { clock } = world
    const instances = [1, 2, 3].map(() => ({
      outbox: createOutbox({ rows, subscriptions, isThere: async () => true, clock, wake: () => {} }),
      sender: createSender(senderDeps(world, { rows, subscriptions, webhooks })),
    }))
    const look = async () => {
      await Promise.allSettled(instances.map(({ sender }) => sender.takeOn()))
      await Promise.all(instances.map(({ sender }) => sender.idle()))
    }

    const published: string[] = []
    for (let number = 0; number < NOTICES; number++) {
      const id = `r/${number}`
      // Two instances say the same at once: what one of them has published is there.
      const said = await Promise.allSettled(instances.slice(1).map(({ outbox }) => outbox.publish(aNotice(id))))
      if (said.some(({ status }) => status === 'fulfilled')) published.push(id)
      if (number % 5 === 4) {
        await look()
        await clock.advance(LEASE_MS)
      }
    }
    // How many the storm lets through depends on what meets what; that some came is what the rest needs.
    expect(published.length).toBeGreaterThan(NOTICES / 5)
    isStormy = false
    for (let hour = 0; hour < 8; hour++) {
      await look()
      await clock.advance(HOUR_MS)
    }

    const ofPath = (path: string) => receiver.received.filter(({ url }) => url === path)
    const atOnce = idsIn(ofPath('/at-once'))
    const joined = idsIn(ofPath('/joined')).flatMap((ids) => ids.split('+'))
    expect(published.filter((id) => !atOnce.includes(id))).toEqual([])
    expect(published.filter((id) => !joined.includes(id))).toEqual([])
    // Attempts repeat, messages do not: each notice has one, on either way.
    const messageOf = new Map<string, string>()
    for (const { url, headers, body } of receiver.received) {
      const message = String(headers['webhook-id'])
      for (const id of idsIn([{ method: '', url, headers, body }]).flatMap((ids) => ids.split('+'))) {
        expect([id, messageOf.get(`${url} ${id}`) ?? message]).toEqual([id, message])
        messageOf.set(`${url} ${id}`, message)
      }
    }
    // Whatever was left of what broke off is gone: nothing is due but what forgets them one day.
    expect(await world.due(clock.now())).toEqual([])
    expect((await world.deliveries()).every(({ state }) => state.kind === 'delivered')).toBe(true)
    await webhooks.close()
    await world.close()
    await receiver.close()
  },
)

it('a receiver that is slow and has more waiting than a look goes through keeps nobody else from their turn', async () => {
  const world = await notificationWorld()
  const { rows, clock } = world
  const waiting: (() => void)[] = []
  const slow = await aReceiver(() => new Promise((answer) => void waiting.push(() => answer({ status: 200 }))))
  const quick = await aReceiver()
  const webhooks = createWebhookHttp({ openHosts: ['127.0.0.1'] })
  const subscriptions = createSubscriptions({ ...world, contactOf: async () => undefined })
  const outbox = createOutbox({ rows, subscriptions, isThere: async () => true, clock, wake: () => {} })
  const sender = createSender(senderDeps(world, { rows, subscriptions, webhooks }), ROWS_PER_LOOK)
  for (const { url } of [slow, quick]) {
    const tenant = await world.newTenant()
    await world.subscribe(tenant, { channel: { kind: 'webhook', url } })
    const { tenantId } = tenant
    const count = url === slow.url ? 3 * ROWS_PER_LOOK : 1
    for (let number = 0; number < count; number++)
      await outbox.publish(aNotice(`of/${tenantId}/${number}`, { audience: 'tenant', tenantId }))
    await clock.advance(1)
  }
  for (let looks = 0; looks < 4; looks++) await sender.takeOn()
  await until('the quick one has its message', () => quick.received.length === 1)
  expect(slow.received.length).toBeLessThanOrEqual(1)

  slow.answer(() => ({ status: 200 }))
  for (const answer of waiting) answer()
  do await sender.takeOn()
  while (!(await sender.idle()))
  expect(slow.received).toHaveLength(3 * ROWS_PER_LOOK)
  await webhooks.close()
  await world.close()
  await Promise.all([slow.close(), quick.close()])
})
