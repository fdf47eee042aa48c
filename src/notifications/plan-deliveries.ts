import { hash } from 'node:crypto'
import { isWorse } from '../alerts/severity'
import type { DeliveryId } from './delivery'
import type { Notice } from './notice'
import type { Subscription } from './subscription'
import { localMinutes, minutesOf, nextLocalTime } from './zoned-time'

/** One subscription's part in a notice. */
export interface PlannedDelivery {
  readonly id: DeliveryId
  readonly subscription: Subscription
  /** Unix milliseconds. */
  readonly dueAt: number
  /** Whether others that are due then are told in the same message. */
  readonly isJoined: boolean
}

/** Who is told of a notice, and when: pure, so that whoever publishes it again plans the same. */
export function planDeliveries(
  notice: Notice,
  subscriptions: readonly Subscription[],
  nowMs: number,
): readonly PlannedDelivery[] {
  return subscriptions
    .filter((subscription) => wants(subscription, notice))
    .map((subscription) => {
      const dueAt = tellAt(subscription, notice, nowMs)
      const isJoined = dueAt > nowMs
      return {
        id: isJoined ? joinedId(subscription, dueAt) : singleId(subscription, notice),
        subscription,
        dueAt,
        isJoined,
      }
    })
}

export function wants({ off, kinds, severityMin }: Subscription, { kind, severity }: Notice): boolean {
  return !off && (!kinds || kinds.includes(kind)) && !isWorse(severityMin, severity)
}

const HOUR_MS = 3_600_000

/** Now, or when its digest comes and no quiet hours are. */
export function tellAt(
  subscription: Subscription,
  { severity, isOver }: Pick<Notice, 'severity' | 'isOver'>,
  nowMs: number,
): number {
  const { digest, timeZone, criticalWaits } = subscription
  if (severity === 'critical' && !isOver && !criticalWaits) return nowMs
  return quietEnd(subscription, digest ? digestEnd(digest, timeZone, nowMs) : nowMs)
}

function digestEnd(digest: NonNullable<Subscription['digest']>, timeZone: string, nowMs: number): number {
  // By the clock, so that all that comes within an hour finds the same message.
  if (digest.kind === 'hourly') return (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS
  return nextLocalTime(nowMs, minutesOf(digest.at) ?? 0, timeZone)
}

/** The end of the quiet hours that are at that time; the time itself where none are. */
function quietEnd({ quietHours, timeZone }: Subscription, atMs: number): number {
  if (!quietHours) return atMs
  const [from, to] = [minutesOf(quietHours.from) ?? 0, minutesOf(quietHours.to) ?? 0]
  const wall = localMinutes(atMs, timeZone)
  const isQuiet = from <= to ? from <= wall && wall < to : wall >= from || wall < to
  return isQuiet ? nextLocalTime(atMs, to, timeZone) : atMs
}

/** The same whoever makes it, so that a notice that is published twice at once is delivered once. */
export const singleId = ({ id }: Subscription, notice: Pick<Notice, 'id'>): DeliveryId =>
  `dlv_${hash('sha256', `${id}\n${notice.id}`, 'hex').slice(0, ID_CHARACTERS)}`

const joinedId = ({ id }: Subscription, dueAt: number): DeliveryId =>
  `dlv_${hash('sha256', `${id}\n${dueAt}`, 'hex').slice(0, ID_CHARACTERS)}`

const ID_CHARACTERS = 40
