import type { Clock } from '../base/clock'
import type { Outcome } from './delivery'
import { messageData, messageType, type Message } from './message'
import { retryAfterOf } from './retry-after'
import type { Channel } from './subscription'
import { ForbiddenAddressError, type WebhookHttp } from './webhook-http'
import { signedHeaders } from './webhook-signature'

/** The body is `{ type, timestamp, data }`, as Standard Webhooks has it. */
export async function sendWebhook(
  { http, clock }: { http: Pick<WebhookHttp, 'post'>; clock: Clock },
  { url, secrets }: Extract<Channel, { kind: 'webhook' }>,
  message: Message,
): Promise<Outcome> {
  const timestamp = new Date(message.at).toISOString()
  const body = JSON.stringify({ type: messageType(message), timestamp, data: messageData(message) })
  try {
    const headers = signedHeaders({ id: message.id, body, secrets }, clock.now())
    const { status, retryAfter } = await http.post({ url, headers, body })
    if (status >= 200 && status < 300) return { kind: 'delivered' }
    if (status === 410) return { kind: 'gone', fault: 'answered 410: it wants no more messages' }
    // Whatever else it is, somebody may mend it within the day; a redirect is an answer like any other.
    return { kind: 'again', fault: `answered ${status}`, retryAfterMs: retryAfterOf(retryAfter, clock.now()) }
  } catch (error) {
    return { kind: 'again', fault: connectFault(error) }
  }
}

/** A word that tells its owner what to look for, and nothing of what else is in our network. */
function connectFault(error: unknown): string {
  if (
    error instanceof ForbiddenAddressError ||
    (error instanceof Error && error.cause instanceof ForbiddenAddressError)
  )
    return 'its address is not a public one'
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'its name leads nowhere'
  if (/TLS|CERT|SIGNED|SSL/.test(code)) return `its certificate was not taken (${code})`
  if (/TIMEOUT|ABORT/i.test(code) || (error instanceof Error && error.name === 'TimeoutError'))
    return 'did not answer in time'
  return 'could not be reached'
}
