import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface JsonRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

export interface JsonAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface JsonServer {
  readonly url: string
  /** What was asked, in order. */
  readonly requests: readonly JsonRequest[]
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A real server on a real socket; what it answers is the test's. */
export async function serveJson(
  answer: (request: JsonRequest) => JsonAnswer | Promise<JsonAnswer>,
): Promise<JsonServer> {
  const requests: JsonRequest[] = []
  const respond = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    let text = ''
    for await (const chunk of incoming) text += String(chunk)
    const url = new URL(incoming.url ?? '/', 'http://server')
    const { method = 'GET', headers } = incoming
    const request = { method, path: url.pathname, query: url.searchParams, headers, text }
    requests.push(request)
    const { status, headers: more = {}, body } = await answer(request)
    outgoing.writeHead(status, { 'content-type': 'application/json', ...more })
    outgoing.end(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body))
  }
  const server = createServer((incoming, outgoing) => void respond(incoming, outgoing))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, requests, close, [Symbol.asyncDispose]: close }
}

/** A token that says who it is of, as far as anybody looks into it here. */
export const tokenWith = (claims: object) =>
  ['{"alg":"none"}', JSON.stringify(claims), ''].map((part) => Buffer.from(part).toString('base64url')).join('.')

/** An identity whose tokens never end, for tests of what is done with them. */
export const fixedIdentity = (claims: object = { oid: 'aaaaaaaa-0000-4000-8000-000000000001' }) => ({
  getToken: async () => ({ token: tokenWith(claims), expiresOnTimestamp: Number.MAX_SAFE_INTEGER }),
})
