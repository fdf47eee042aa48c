import type { DeliveryId } from './delivery'
import type { Notice } from './notice'

/** What is sent to one receiver: one notice, or several that waited for the same time. */
export interface Message {
  readonly id: DeliveryId
  /** When the newest of its notices was published, Unix milliseconds: the same at each attempt. */
  readonly at: number
  /** Since when it is to be sent, Unix milliseconds: the same at each attempt, and another when it was given up and is sent anew. */
  readonly dueSince: number
  readonly notices: readonly [Notice, ...Notice[]]
  /** Further ones that are not told. */
  readonly more: number
  /** Whether it is a digest, though of one notice maybe. */
  readonly isDigest: boolean
}

/** Of a message, for receivers that choose by it. */
export const messageType = ({ isDigest, notices }: Message): string => (isDigest ? 'digest' : notices[0].kind)

/** For programs. What is undefined is left out of JSON. */
export function messageData(message: Message): object {
  if (!message.isDigest) return noticeData(message.notices[0])
  return { notices: message.notices.map(noticeData), more: message.more }
}

const noticeData = ({ id, kind, severity, title, text, tenantId, data }: Notice) => ({
  id,
  kind,
  severity,
  title,
  text,
  tenantId,
  data,
})

export function messageSubject(message: Message): string {
  const [first, ...others] = message.notices
  if (!message.isDigest) return `[${first.severity}] ${first.title}`
  const count = 1 + others.length + message.more
  return count === 1 ? `[${first.severity}] ${first.title}` : `[digest] ${count} notifications`
}

export function messageText(message: Message): string {
  const parts = message.notices.map(({ severity, title, text }) => `[${severity}] ${title}\n\n${text}`)
  const rest = message.more > 0 ? [`And ${message.more} more.`] : []
  return [...parts, ...rest].join('\n\n----\n\n')
}
