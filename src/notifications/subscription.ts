import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { encodeBase32, encodeTime, idBody } from '../base/ids'
import type { Severity } from '../alerts/severity'

/** Who wants to be told of what, how and when. Of a tenant, or of the operators. */
export interface Subscription {
  readonly id: SubscriptionId
  readonly name: string
  readonly channel: Channel
  /** Kinds of notices; absent: every one. */
  readonly kinds?: readonly string[] | undefined
  /** What matters less is not told. */
  readonly severityMin: Severity
  /** IANA name, by which the next two are meant. */
  readonly timeZone: string
  /** What comes in them is told together when they end. `from` may be later than `to`: over midnight. */
  readonly quietHours?: { readonly from: TimeOfDay; readonly to: TimeOfDay } | undefined
  /** What came meanwhile is told together each hour, or each day at a time. */
  readonly digest?: { readonly kind: 'hourly' } | { readonly kind: 'daily'; readonly at: TimeOfDay } | undefined
  /** Whether what is critical waits for the end of quiet hours and for the digest like the rest. */
  readonly criticalWaits: boolean
  /** Unix milliseconds. */
  readonly createdAt: number
  /** Nothing is told any more: its receiver answered that it is gone for good. Until somebody changes the subscription. */
  readonly off?: { readonly at: number; readonly why: string } | undefined
}

export type SubscriptionId = `sub_${string}`
/** `22:30` */
export type TimeOfDay = string

export type Channel =
  | { readonly kind: 'webhook'; readonly url: string; readonly secrets: readonly WebhookSecret[] }
  | { readonly kind: 'email'; readonly to: readonly string[] }
  /** The platform's own topic: operators' only. */
  | { readonly kind: 'event-grid' }

/** What webhooks are signed with; the newest first. */
export interface WebhookSecret {
  /** `whsec_` and base64 of 32 bytes (Standard Webhooks). */
  readonly secret: string
  /** Of one that another has replaced: until then both sign. Unix milliseconds. */
  readonly until?: number | undefined
}

const SUBSCRIPTION_ID = new RegExp(`^sub_${idBody}$`)
const CHANCE_BYTES = 10

export const newSubscriptionId = ({ clock, chance }: { clock: Clock; chance: Chance }): SubscriptionId =>
  `sub_${encodeTime(clock.now())}${encodeBase32(chance.bytes(CHANCE_BYTES))}`

export const parseSubscriptionId = (text: string): SubscriptionId | undefined =>
  SUBSCRIPTION_ID.test(text) ? (text as SubscriptionId) : undefined
