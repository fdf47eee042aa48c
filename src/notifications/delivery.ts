import { assertNever } from '../base/assert'
import type { Chance } from '../base/chance'
import type { SubscriptionId } from './subscription'

/** A message on its way to one subscription: of one notice, or of those that waited for the same time. */
export interface Delivery {
  /** What the receiver knows the message by, the same at each attempt. */
  readonly id: DeliveryId
  readonly subscriptionId: SubscriptionId
  /** Keys of its notices, in the order in which they came. */
  readonly notices: readonly string[]
  /** Beyond `NOTICES_JOINED_MAX`: counted, not told. */
  readonly more: number
  readonly state: DeliveryState
  /** When it was to be sent first, Unix milliseconds; what waits too long since is given up. */
  readonly firstDueAt: number
  /** When something is to be done about it next; there is always a row by which that is found (O1). Unix milliseconds. */
  readonly dueAt: number
  readonly attempts: number
  /** What was wrong the last time: a status, a code. */
  readonly fault?: string | undefined
  /** By which the mail service is asked what became of it. */
  readonly operation?: string | undefined
}

export type DeliveryId = `dlv_${string}`
const DELIVERY_ID = /^dlv_[0-9a-f]{40}$/
export const parseDeliveryId = (text: string): DeliveryId | undefined =>
  DELIVERY_ID.test(text) ? (text as DeliveryId) : undefined

export type DeliveryState =
  | { readonly kind: 'waiting' }
  /** Somebody has it until `dueAt`; then whoever comes takes it up. */
  | { readonly kind: 'sending' }
  | { readonly kind: 'delivered'; readonly at: number }
  /** Given up, and in the list of dead letters. */
  | { readonly kind: 'dead'; readonly at: number }
  /** Nobody wants it any more: its subscription is gone or off. */
  | { readonly kind: 'dropped'; readonly at: number }

/** What a receiver, or the way to it, makes of a message. */
export type Outcome =
  | { readonly kind: 'delivered' }
  /** Taken, and not known yet whether it arrives: ask by `operation`. */
  | { readonly kind: 'accepted'; readonly operation: string; readonly againAfterMs: number }
  /** Not now; `retryAfterMs` where the receiver said how long. */
  | { readonly kind: 'again'; readonly fault: string; readonly retryAfterMs?: number | undefined }
  /** This message will never be taken. */
  | { readonly kind: 'refused'; readonly fault: string }
  /** No message will be taken any more. */
  | { readonly kind: 'gone'; readonly fault: string }

export const NOTICES_JOINED_MAX = 100
/** Attempts and time until a message is given up, whichever comes first. */
export const ATTEMPTS_MAX = 12
export const GIVE_UP_AFTER_MS = 86_400_000
const BACK_OFF_MS_MIN = 30_000
const BACK_OFF_MS_MAX = 4 * 3_600_000
const BACK_OFF_FACTOR = 3
/** So that those who failed together do not come back together. */
const JITTER = 0.2

/** What becomes of a message after an attempt. */
export function afterAttempt(
  delivery: Delivery,
  outcome: Outcome,
  { nowMs, chance }: { nowMs: number; chance: Chance },
): Delivery {
  switch (outcome.kind) {
    case 'delivered':
      return { ...delivery, state: { kind: 'delivered', at: nowMs }, fault: undefined, operation: undefined }
    case 'accepted': {
      const dueAt = nowMs + outcome.againAfterMs
      const isTooLate = dueAt - delivery.firstDueAt > GIVE_UP_AFTER_MS
      const asked = { ...delivery, operation: outcome.operation }
      return isTooLate
        ? dead(asked, 'the mail service did not say for a day what became of it', nowMs)
        : waiting(asked, dueAt)
    }
    case 'refused':
    case 'gone':
      return dead(delivery, outcome.fault, nowMs)
    case 'again': {
      const dueAt = nowMs + Math.max(backOffMs(delivery.attempts, chance), outcome.retryAfterMs ?? 0)
      const isOver = delivery.attempts >= ATTEMPTS_MAX || dueAt - delivery.firstDueAt > GIVE_UP_AFTER_MS
      return isOver ? dead(delivery, outcome.fault, nowMs) : waiting({ ...delivery, fault: outcome.fault }, dueAt)
    }
    default:
      return assertNever(outcome)
  }
}

/** Not tried at all, since its receiver is known not to answer: no attempt, and yet its day goes by. */
export function postponed(delivery: Delivery, untilMs: number, nowMs: number): Delivery {
  if (untilMs - delivery.firstDueAt > GIVE_UP_AFTER_MS)
    return dead(delivery, delivery.fault ?? 'its receiver does not answer', nowMs)
  return waiting(delivery, untilMs)
}

/** Sent anew, as if for the first time, under the id that it has. */
export const revived = (delivery: Delivery, nowMs: number): Delivery => ({
  ...waiting({ ...delivery, attempts: 0, operation: undefined }, nowMs),
  firstDueAt: nowMs,
})

const waiting = (delivery: Delivery, dueAt: number): Delivery => ({ ...delivery, state: { kind: 'waiting' }, dueAt })
const dead = (delivery: Delivery, fault: string, nowMs: number): Delivery => ({
  ...delivery,
  state: { kind: 'dead', at: nowMs },
  fault,
  operation: undefined,
})

/** After the attempt of that number, which counts from 1. */
export function backOffMs(attempts: number, chance: Chance): number {
  const plain = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * BACK_OFF_FACTOR ** Math.max(0, attempts - 1))
  return Math.round(plain * (1 - JITTER + 2 * JITTER * chance.fraction()))
}
