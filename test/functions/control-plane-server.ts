import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpFunctionOptions, HttpRequest } from '@azure/functions'
import type { EntraSettings } from '../../src/access/entra-tokens'
import type { NewKey } from '../../src/access/keys'
import { systemChance } from '../../src/base/chance'
import { createIdMaker } from '../../src/base/ids'
import { createLog } from '../../src/base/log'
import { registerControlPlane } from '../../src/functions/register-control-plane'
import type { StorageAccount } from '../../src/storage/connect'
import { handClock, type HandClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { checkingAnswers } from './check-answer'
import { onboardAtOnce } from './onboard-at-once'
import { controlPlaneStorage, wireControlPlane } from './wire-control-plane'

export const operatorToken = 'operator-token-of-the-tests'
export const otherOperatorToken = 'another-operators-token'
const pepper = 'pepper-of-the-tests-with-enough-characters'

/** One app instance's control plane behind a real socket. Several may share a storage and a clock, as scaled-out ones do. */
export interface ControlPlaneServer {
  readonly url: string
  readonly clock: HandClock
  readonly storage: StorageAccount
  /** Every line that was logged. */
  readonly logged: string[]
  readonly parts: ReturnType<typeof wireControlPlane>
  /** By the onboarding's id. */
  readonly firstKeys: ReadonlyMap<string, NewKey>
  /** Requests to tables so far. */
  tableRequests(): number
  send(method: string, path: string, options?: SendOptions): Promise<Reply>
  /** As an operator. */
  operate(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>
  close(): Promise<void>
  /** `await using` closes it however the test ends; one left open would keep the run from ending. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface SendOptions {
  readonly apiKey?: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; tests look into it freely. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
}

export async function serveControlPlane(
  shared: { storage?: StorageAccount; clock?: HandClock; entra?: EntraSettings } = {},
): Promise<ControlPlaneServer> {
  const clock = shared.clock ?? handClock()
  const chance = systemChance()
  const logged: string[] = []
  const storage = shared.storage ?? freshStorage()
  if (!shared.storage) await storage.ensure(controlPlaneStorage)
  const counted = counting(storage)
  const parts = wireControlPlane({
    storage: counted.storage,
    clock,
    chance,
    ids: createIdMaker({ clock, chance }),
    log: createLog(
      (line) => logged.push(line),
      () => clock.now(),
    ),
    keyPeppers: [pepper],
    operatorTokenHashes: [hash('sha256', otherOperatorToken, 'hex'), hash('sha256', operatorToken, 'hex')],
    entra: shared.entra,
    queryUsage: async (scope, query) => ({ tenantId: scope.tenantId, query }),
  })
  const onboarding = onboardAtOnce(parts)
  // The usage is the tests' own answer here; test/usage has the real one.
  const checked = checkingAnswers(parts.handle, ['api/tenant/usage'])
  const registered: { name: string; options: HttpFunctionOptions }[] = []
  registerControlPlane(
    { http: (name, options) => registered.push({ name, options }) },
    parts.controlPlane,
    (endpoints, request) => checked(endpoints, { ...request, orchestrations: onboarding.orchestrations }),
  )
  const { url, close } = await listen(registered)

  const send: ControlPlaneServer['send'] = async (method, path, { apiKey, body, headers } = {}) => {
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(apiKey === undefined ? {} : { 'api-key': apiKey }),
        ...headers,
      },
      ...sent,
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') === true
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text && isJson ? JSON.parse(text) : undefined,
    }
  }
  const operate: ControlPlaneServer['operate'] = (method, path, body, headers) =>
    send(method, path, { body, headers: { authorization: `Bearer ${operatorToken}`, ...headers } })
  return {
    url,
    clock,
    storage,
    logged,
    parts,
    firstKeys: onboarding.firstKeys,
    tableRequests: counted.requests,
    send,
    operate,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** The routing of the Functions host, as far as these routes need it, and requests as its library makes them. */
async function listen(registered: readonly { name: string; options: HttpFunctionOptions }[]) {
  const routes = registered.map(({ options }) => ({ options, pattern: patternOf(options.route ?? '') }))
  const server = createServer((incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? '/', 'http://host')
    for (const { options, pattern } of routes) {
      const match = pattern.exec(pathname)
      if (!match) continue
      const request = libraryRequest(incoming, { ...match.groups })
      // oxlint-disable-next-line typescript/no-explicit-any
      void Promise.resolve(options.handler(request, {} as any)).then((result) => {
        const answer = result as { status: number; headers: Record<string, string>; body?: string }
        outgoing.writeHead(answer.status, answer.headers).end(answer.body)
      })
      return
    }
    outgoing.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  return { url, close }
}

const patternOf = (route: string) => new RegExp(`^/${route.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`)

function libraryRequest(incoming: IncomingMessage, params: Record<string, string>): HttpRequest {
  const url = `http://${incoming.headers.host}${incoming.url}`
  const hasBody = incoming.method !== 'GET'
  const native = new Request(url, {
    method: incoming.method ?? 'GET',
    headers: incoming.headers as Record<string, string>,
    ...(hasBody ? { body: incoming as unknown as ReadableStream, duplex: 'half' } : {}),
  })
  const { method, headers, body } = native
  return { method, url, headers, body, params, query: new URL(url).searchParams } as unknown as HttpRequest
}

/** Counts what goes out to the table service, retries included. */
function counting(account: StorageAccount): { storage: StorageAccount; requests: () => number } {
  let count = 0
  const table: StorageAccount['table'] = (name) => {
    const client = account.table(name)
    client.pipeline.addPolicy({
      name: 'counting',
      sendRequest: (request, next) => {
        count++
        return next(request)
      },
    })
    return client
  }
  return { storage: { ...account, table }, requests: () => count }
}
