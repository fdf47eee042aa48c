import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { Entra } from '../entra/entra'
import { readBody } from '../request-body'
import { createInbox, type Inbox } from './inbox'

/**
 * Communication Services' mail (`/communication`, Email REST 2023-03-31), a custom topic of Event Grid with the CloudEvents schema
 * (`/eventgrid/api/events`) and a receiver of webhooks (`/hooks/…`), as far as the platform meets them. Both services take tokens of the
 * simulated Entra only. What arrives is shown by `GET /simulator/messages`. A mail to `…@bounce.example` is taken and not delivered.
 */
export interface Messages {
  readonly inbox: Inbox
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>
}

const BODY_BYTES_MAX = 10 * 1_024 * 1_024
/** Operations that are remembered; the oldest are forgotten. */
const OPERATIONS_MAX = 1_000
const BOUNCES = /@bounce\.example$/i

type Answer = readonly [status: number, body: object, headers?: Readonly<Record<string, string>>]

export function createMessages(entra: Pick<Entra, 'readToken'>): Messages {
  const inbox = createInbox()
  const operations = new Map<string, { readonly bounces: boolean }>()
  const deps: Deps = { entra, inbox, operations }
  return {
    inbox,
    serve: async (request, response) => {
      const url = new URL(request.url ?? '/', 'http://simulator')
      const [status, body, headers = {}] = await answerTo(deps, request, url)
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(body))
    },
  }
}

interface Deps {
  readonly entra: Pick<Entra, 'readToken'>
  readonly inbox: Inbox
  readonly operations: Map<string, { readonly bounces: boolean }>
}

async function answerTo(deps: Deps, request: IncomingMessage, url: URL): Promise<Answer> {
  const { pathname } = url
  if (pathname.startsWith('/hooks/')) return hook(deps, request, pathname)
  if (pathname === '/eventgrid/api/events') return event(deps, request, url)
  if (!mayCall(deps, request, 'https://communication.azure.com')) return denied
  if (url.searchParams.get('api-version') !== '2023-03-31') return fault(400, 'InvalidApiVersion')
  const [, operation] = /^\/communication\/emails\/operations\/([\w-]{1,64})$/.exec(pathname) ?? []
  if (operation !== undefined && request.method === 'GET') return stateOf(deps, operation)
  return pathname === '/communication/emails:send' && request.method === 'POST'
    ? mail(deps, request)
    : fault(404, 'NotFound')
}

const mailBody = z.object({
  senderAddress: z.email(),
  recipients: z.object({ to: z.array(z.object({ address: z.email() })).min(1) }),
  content: z.object({ subject: z.string().min(1), plainText: z.string().optional(), html: z.string().optional() }),
  userEngagementTrackingDisabled: z.boolean().optional(),
})

async function mail({ inbox, operations }: Deps, request: IncomingMessage): Promise<Answer> {
  const parsed = mailBody.safeParse(await readJson(request))
  if (!parsed.success) return fault(400, 'BadRequest')
  const { recipients, content } = parsed.data
  const given = request.headers['operation-id']
  const id = typeof given === 'string' ? given : randomUUID()
  const addresses = recipients.to.map(({ address }) => address)
  if (!operations.has(id)) {
    const bounces = addresses.some((address) => BOUNCES.test(address))
    if (!bounces) inbox.add({ way: 'mail', to: addresses.join(', '), subject: content.subject, body: parsed.data })
    operations.set(id, { bounces })
    const [oldest] = operations.keys()
    if (operations.size > OPERATIONS_MAX && oldest !== undefined) operations.delete(oldest)
  }
  const where = `http://${request.headers.host ?? 'localhost'}/communication/emails/operations/${id}?api-version=2023-03-31`
  return [202, { id, status: 'Running', error: null }, { 'operation-location': where, 'retry-after': '1' }]
}

function stateOf({ operations }: Deps, id: string): Answer {
  const found = operations.get(id)
  if (!found) return fault(404, 'NotFound')
  if (!found.bounces) return [200, { id, status: 'Succeeded', error: null }]
  const error = { code: 'EmailDropped', message: 'The mail was dropped after several attempts to deliver it.' }
  return [200, { id, status: 'Failed', error }]
}

const cloudEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string().optional(),
  time: z.iso.datetime().optional(),
})

async function event(deps: Deps, request: IncomingMessage, url: URL): Promise<Answer> {
  if (request.method !== 'POST') return fault(404, 'NotFound')
  if (!mayCall(deps, request, 'https://eventgrid.azure.net')) return denied
  const isStructured = /^application\/cloudevents\+json(;|$)/i.test(request.headers['content-type'] ?? '')
  const parsed = cloudEvent.safeParse(await readJson(request))
  if (!isStructured || !parsed.success || url.searchParams.get('api-version') !== '2018-01-01')
    return fault(400, 'BadRequest')
  deps.inbox.add({ way: 'event', to: 'topic', subject: parsed.data.type, body: parsed.data })
  return [200, {}]
}

async function hook({ inbox }: Deps, request: IncomingMessage, pathname: string): Promise<Answer> {
  if (request.method !== 'POST') return fault(404, 'NotFound')
  const body = await readJson(request)
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers
  inbox.add({ way: 'webhook', to: pathname, subject: typeOf(body), body: { id, timestamp, signature, body } })
  return [200, {}]
}

const typeOf = (body: unknown) =>
  typeof body === 'object' && body !== null && 'type' in body ? String(body.type) : 'no JSON with a type'

async function readJson(request: IncomingMessage): Promise<unknown> {
  const read = await readBody(request, BODY_BYTES_MAX)
  if (read.kind !== 'body') return undefined
  try {
    return JSON.parse(read.text)
  } catch {
    return undefined
  }
}

function mayCall({ entra }: Deps, { headers }: IncomingMessage, audience: string): boolean {
  const [, token = ''] = /^bearer\s+(\S+)$/i.exec(headers.authorization ?? '') ?? []
  const read = entra.readToken(token)
  return read.kind === 'valid' && read.claims.aud.replace(/\/+$/, '') === audience
}

const fault = (status: number, code: string): Answer => [status, { error: { code, message: code } }]
const denied = fault(401, 'Denied')
