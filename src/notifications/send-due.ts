import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { describeError, type Log } from '../base/log'
import { fromJsonColumns } from '../storage/json-columns'
import type { TenantScope } from '../storage/tenant-scope'
import type { Circuits } from './circuits'
import { afterAttempt, ATTEMPTS_MAX, parseDeliveryId, postponed, type Delivery, type Outcome } from './delivery'
import { changeDelivery, findDelivery, isOpen, type FoundDelivery } from './delivery-rows'
import { forgetNotice } from './forget-notice'
import { createLanes, type Lanes } from './lanes'
import type { Message } from './message'
import type { Notice } from './notice'
import type { KeptNotice, OutboxRows } from './outbox'
import { DELIVERY, dueUntil, ledTo, NOTICE, noticeRow } from './outbox-rows'
import { circuitOf, laneOf, sendMessage, type Ways } from './send-message'
import type { Subscription } from './subscription'
import type { Subscriptions } from './subscriptions'

export interface SendDueDeps {
  readonly rows: OutboxRows
  readonly subscriptions: Pick<Subscriptions, 'get' | 'change'>
  readonly ways: Ways
  readonly circuits: Circuits
  /** A message was given up, or its subscription takes messages (again). */
  readonly onEnd: (ended: { owner: TenantScope; subscription: Subscription; delivery: Delivery }) => Promise<void>
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

/** Longer than an attempt takes, whatever its channel: only what died holds a message so long. */
export const LEASE_MS = 120_000
/** A row that leads to nothing stays so long, lest it be of somebody who is just writing what it leads to. */
const STRAY_MS = 10 * 60_000
/** Receivers at once, and messages that are taken on for one of them. */
const LANES_MAX = 64
const PER_LANE_MAX = 20
/** Rows that a look goes through; the next one goes on behind them, or one slow receiver's many would keep all others' from their turn. */
const ROWS_MAX = 5_000
/** Rows whose messages are read at once. */
const READS_AT_ONCE = 16

/** Sends what is due, in the order of time. Of several instances at it each thing is done by one. */
export interface Sender {
  /** Takes on what is due, and returns before it is sent: whoever is slow holds up nobody. How much it was. */
  takeOn(): Promise<number>
  /** When all that was taken on is done; false where some was left because its receiver had enough to take, or there was more than one look goes through. */
  idle(): Promise<boolean>
}

export function createSender(deps: SendDueDeps, rowsMax = ROWS_MAX): Sender {
  const lanes = createLanes({ lanesMax: LANES_MAX, perLaneMax: PER_LANE_MAX })
  const sending: Sending = { ...deps, lanes, inHand: new Set(), taken: 0, left: 0 }
  let goOnFrom: string | undefined
  return {
    takeOn: async () => {
      const { from, to } = dueUntil(deps.clock.now())
      sending.taken = 0
      if (goOnFrom === undefined) sending.left = 0
      let last: string | undefined
      let some: string[] = []
      let looked = 0
      for await (const { rowKey } of deps.rows.index.range(goOnFrom ?? from, to)) {
        if (some.push(rowKey) >= READS_AT_ONCE) {
          await Promise.all(some.map((each) => lookAt(sending, each)))
          some = []
        }
        if (++looked < rowsMax) continue
        last = rowKey
        break
      }
      goOnFrom = last === undefined ? undefined : `${last} `
      await Promise.all(some.map((each) => lookAt(sending, each)))
      return sending.taken
    },
    idle: async () => {
      await lanes.idle()
      return sending.left === 0 && goOnFrom === undefined
    },
  }
}

interface Sending extends SendDueDeps {
  readonly lanes: Lanes
  /** Rows whose messages are taken on: at most `LANES_MAX` times `PER_LANE_MAX`. */
  readonly inHand: Set<string>
  taken: number
  left: number
}

async function lookAt(sending: Sending, rowKey: string): Promise<void> {
  const { rows, lanes, inHand, log } = sending
  if (inHand.has(rowKey)) return
  try {
    const led = ledTo(rowKey)
    if (!led) return await rows.index.remove(rowKey)
    if (led.what.startsWith(NOTICE)) {
      if (await forgetNotice(rows, led)) sending.taken += 1
      else await dropStray(sending, rowKey, led.timeMs)
      return
    }
    const id = parseDeliveryId(led.what.slice(DELIVERY.length))
    const found = id && (await findDelivery(rows, led.owner, id))
    const isDue = found && isOpen(found.delivery) && found.delivery.dueAt === led.timeMs
    if (!isDue) return await dropStray(sending, rowKey, led.timeMs)
    const subscription = await sending.subscriptions.get(led.owner, found.delivery.subscriptionId)
    if (!subscription || subscription.off) return await drop(sending, found)
    inHand.add(rowKey)
    const work = () => deliver(sending, found, subscription).finally(() => inHand.delete(rowKey))
    if (await lanes.add(laneOf(subscription, led.owner), work)) sending.taken += 1
    else {
      inHand.delete(rowKey)
      sending.left += 1
    }
  } catch (error) {
    log.warn('what was due in the outbox could not be done', { row: rowKey, error: describeError(error) })
  }
}

async function dropStray({ rows, clock }: Sending, rowKey: string, timeMs: number): Promise<void> {
  if (clock.now() - timeMs > STRAY_MS) await rows.index.remove(rowKey)
}

async function drop(sending: Sending, found: FoundDelivery): Promise<void> {
  const { rows, clock } = sending
  await changeDelivery(rows, found, { ...found.delivery, state: { kind: 'dropped', at: clock.now() } })
  sending.taken += 1
}

/** Takes the message for itself, sends it, and writes what became of it. Never rejects. */
async function deliver(sending: Sending, found: FoundDelivery, subscription: Subscription): Promise<void> {
  const { rows, circuits, clock, chance, log } = sending
  const receiver = circuitOf(subscription)
  try {
    const restsUntil = circuits.restsUntil(receiver)
    if (restsUntil !== undefined)
      return await end(sending, found, subscription, postponed(found.delivery, restsUntil, clock.now()))
    const claimed = await changeDelivery(rows, found, claimedBy(found.delivery, clock.now()))
    if (!claimed) return
    const outcome = await attempt(sending, claimed, subscription)
    note(circuits, receiver, outcome)
    if (outcome.kind === 'gone') await turnOff(sending, found.owner, subscription, outcome.fault)
    await end(sending, claimed, subscription, afterAttempt(claimed.delivery, outcome, { nowMs: clock.now(), chance }))
  } catch (error) {
    // Its lease ends, and whoever comes then goes on with it.
    log.warn('a notification could not be sent', { delivery: found.delivery.id, error: describeError(error) })
  }
}

/** A look at what became of a mail is no attempt to send it. */
const claimedBy = (delivery: Delivery, nowMs: number): Delivery => ({
  ...delivery,
  state: { kind: 'sending' },
  dueAt: nowMs + LEASE_MS,
  attempts: delivery.attempts + (delivery.operation === undefined ? 1 : 0),
})

async function attempt(
  { rows, ways }: Sending,
  { owner, delivery }: FoundDelivery,
  { channel }: Subscription,
): Promise<Outcome> {
  // Each of its attempts took the process with it.
  if (delivery.attempts > ATTEMPTS_MAX) return { kind: 'refused', fault: 'its attempts broke off' }
  const message = await messageOf(rows, owner, delivery)
  if (!message) return { kind: 'refused', fault: 'its notices are forgotten' }
  return sendMessage(ways, channel, { message, operation: delivery.operation })
}

function note(circuits: Circuits, receiver: string, outcome: Outcome): void {
  if (outcome.kind === 'again') circuits.failed(receiver)
  else circuits.succeeded(receiver)
}

async function end(sending: Sending, found: FoundDelivery, subscription: Subscription, after: Delivery): Promise<void> {
  const { rows, onEnd, log } = sending
  const written = await changeDelivery(rows, found, after)
  if (!written) return log.warn('a notification was taken over by another instance', { delivery: after.id })
  if (after.state.kind === 'dead' || after.state.kind === 'delivered')
    await onEnd({ owner: found.owner, subscription, delivery: after })
}

async function turnOff({ subscriptions, clock }: Sending, owner: TenantScope, { id }: Subscription, why: string) {
  await subscriptions.change(owner, id, (known) => (known.off ? known : { ...known, off: { at: clock.now(), why } }))
}

async function messageOf({ owned }: OutboxRows, owner: TenantScope, delivery: Delivery): Promise<Message | undefined> {
  const kept: KeptNotice[] = []
  for (let start = 0; start < delivery.notices.length; start += READS_AT_ONCE) {
    const some = delivery.notices.slice(start, start + READS_AT_ONCE)
    const read = await Promise.all(some.map((key) => owned.get(owner, noticeRow(key))))
    kept.push(...read.flatMap((row) => (row ? [fromJsonColumns<KeptNotice>(row.columns)] : [])))
  }
  const [first, ...others]: readonly Notice[] = kept.map(({ notice }) => notice)
  if (!first) return undefined
  const at = Math.max(...kept.map(({ publishedAt }) => publishedAt))
  const isDigest = kept.length > 1 || delivery.more > 0
  return {
    id: delivery.id,
    at,
    dueSince: delivery.firstDueAt,
    notices: [first, ...others],
    more: delivery.more,
    isDigest,
  }
}
