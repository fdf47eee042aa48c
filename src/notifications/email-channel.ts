import { hash } from 'node:crypto'
import type { TokenCredential } from '@azure/core-auth'
import type { SmallAnswer, SmallHttp } from '../azure/small-http'
import type { Clock } from '../base/clock'
import type { Outcome } from './delivery'
import { messageSubject, messageText, type Message } from './message'
import { retryAfterOf } from './retry-after'

/** Azure Communication Services, by which mail goes out. */
export interface MailService {
  /** Without a slash at the end. */
  readonly endpoint: string
  readonly sender: string
}

export interface EmailDeps {
  readonly mail: MailService
  readonly identity: TokenCredential
  readonly http: Pick<SmallHttp, 'send'>
  readonly clock: Clock
}

const SCOPE = 'https://communication.azure.com/.default'
const API_VERSION = '2023-03-31'
/** Between two looks at a mail where the service does not say. */
const LOOK_MS = 30_000

/**
 * Hands a mail over, or asks what became of one (Communication Services' Email REST, 2023-03-31). The service takes a mail at once and
 * delivers it later; it knows it by an id of ours, so that one that was handed over by a process that died is not sent twice.
 */
export async function sendEmail(
  deps: EmailDeps,
  { to, message, operation }: { to: readonly string[]; message: Message; operation: string | undefined },
): Promise<Outcome> {
  const { mail, clock } = deps
  try {
    if (operation !== undefined) return statusOf(await ask(deps, operation), operation, clock.now())
    const id = operationId(message)
    const answer = await deps.http.send({
      method: 'POST',
      url: `${mail.endpoint}/emails:send?api-version=${API_VERSION}`,
      headers: { ...(await authorization(deps)), 'content-type': 'application/json', 'operation-id': id },
      body: JSON.stringify({
        senderAddress: mail.sender,
        recipients: { to: to.map((address) => ({ address })) },
        content: { subject: messageSubject(message), plainText: messageText(message) },
        userEngagementTrackingDisabled: true,
      }),
    })
    // It has the mail already, from an attempt whose answer was lost.
    if (answer.status === 409) return { kind: 'accepted', operation: id, againAfterMs: LOOK_MS }
    if (answer.status === 202) return statusOf(answer, idIn(answer) ?? id, clock.now())
    return failure(answer, clock.now())
  } catch (error) {
    return { kind: 'again', fault: `the mail service could not be reached (${nameOf(error)})` }
  }
}

const ask = async (deps: EmailDeps, operation: string) =>
  deps.http.send({
    method: 'GET',
    url: `${deps.mail.endpoint}/emails/operations/${operation}?api-version=${API_VERSION}`,
    headers: await authorization(deps),
  })

async function authorization({ identity }: EmailDeps): Promise<Record<string, string>> {
  const token = await identity.getToken(SCOPE)
  if (!token) throw new Error('the platform has no identity for the mail service')
  return { authorization: `Bearer ${token.token}` }
}

function statusOf(answer: SmallAnswer, operation: string, nowMs: number): Outcome {
  if (answer.status !== 200 && answer.status !== 202) return failure(answer, nowMs)
  switch (textAt(answer.body, 'status')) {
    case 'Succeeded':
      return { kind: 'delivered' }
    case 'Failed':
    case 'Canceled':
      return { kind: 'refused', fault: `the mail was not delivered (${errorCode(answer) ?? 'no reason given'})` }
    default:
      return { kind: 'accepted', operation, againAfterMs: waitOf(answer, nowMs) ?? LOOK_MS }
  }
}

/** Faults of the mail itself are for good; of what is between us and the service, and of its limits, they are not. */
function failure(answer: SmallAnswer, nowMs: number): Outcome {
  const fault = `the mail service answered ${answer.status}${errorCode(answer) ? ` (${errorCode(answer)})` : ''}`
  if (answer.status === 400 || answer.status === 413) return { kind: 'refused', fault }
  return { kind: 'again', fault, retryAfterMs: waitOf(answer, nowMs) }
}

function waitOf({ headers }: SmallAnswer, nowMs: number): number | undefined {
  const header = headers['retry-after']
  return retryAfterOf(typeof header === 'string' ? header : undefined, nowMs)
}

const idIn = ({ body }: SmallAnswer) => {
  const id = textAt(body, 'id')
  return id !== undefined && /^[\w-]{1,64}$/.test(id) ? id : undefined
}
const errorCode = ({ body }: SmallAnswer) => textAt(fieldAt(body, 'error'), 'code')
const fieldAt = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
const textAt = (value: unknown, name: string) => {
  const found = fieldAt(value, name)
  return typeof found === 'string' ? found.slice(0, 100) : undefined
}
const nameOf = (error: unknown) => (error instanceof Error ? error.name : 'unknown')

/** A UUID (version 8, RFC 9562: bits of our own), the same until the mail is given up: under one that failed the service sends nothing more. */
function operationId({ id, dueSince }: Message): string {
  const hex = hash('sha256', `${id}\n${dueSince}`, 'hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
