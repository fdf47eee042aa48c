import type { TokenCredential } from '@azure/core-auth'
import type { SmallHttp } from '../azure/small-http'
import type { Clock } from '../base/clock'
import type { Outcome } from './delivery'
import { messageData, messageType, type Message } from './message'
import { retryAfterOf } from './retry-after'

export interface EventGridDeps {
  /** Of the platform's own topic, which takes the CloudEvents schema: `https://….eventgrid.azure.net/api/events`. */
  readonly topicUrl: string
  /** Of the platform, for `source`. */
  readonly publicUrl: string
  readonly identity: TokenCredential
  readonly http: Pick<SmallHttp, 'send'>
  readonly clock: Clock
}

const SCOPE = 'https://eventgrid.azure.net/.default'
const API_VERSION = '2018-01-01'

/** One CloudEvent (1.0, structured JSON) to a custom topic of Event Grid, which drops none and tells its subscribers at least once. */
export async function sendEvent(deps: EventGridDeps, message: Message): Promise<Outcome> {
  const { topicUrl, publicUrl, identity, http, clock } = deps
  const event = {
    specversion: '1.0',
    id: message.id,
    source: publicUrl,
    type: `tenantry.${messageType(message)}`,
    subject: message.isDigest ? 'digest' : message.notices[0].id,
    time: new Date(message.at).toISOString(),
    datacontenttype: 'application/json',
    data: messageData(message),
  }
  try {
    const token = await identity.getToken(SCOPE)
    if (!token) return { kind: 'again', fault: 'the platform has no identity for Event Grid' }
    const { status, headers } = await http.send({
      method: 'POST',
      url: `${topicUrl}?api-version=${API_VERSION}`,
      headers: {
        authorization: `Bearer ${token.token}`,
        'content-type': 'application/cloudevents+json; charset=utf-8',
      },
      body: JSON.stringify(event),
    })
    if (status === 200) return { kind: 'delivered' }
    const fault = `Event Grid answered ${status}`
    // What is malformed or too large (1 MB) stays so.
    if (status === 400 || status === 413) return { kind: 'refused', fault }
    const header = headers['retry-after']
    return {
      kind: 'again',
      fault,
      retryAfterMs: retryAfterOf(typeof header === 'string' ? header : undefined, clock.now()),
    }
  } catch (error) {
    return {
      kind: 'again',
      fault: `Event Grid could not be reached (${error instanceof Error ? error.name : 'unknown'})`,
    }
  }
}
