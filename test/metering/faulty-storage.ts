import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AddressInfo } from 'node:net'
import { connectStorage, type StorageAccount } from '../../src/storage/connect'
import { testConnectionString } from '../harness/storage'

/** What happens to one request on its way to storage and back. */
export type Fault =
  | { readonly kind: 'none' }
  /** The connection breaks; storage never hears of it. */
  | { readonly kind: 'lost-request' }
  /** Storage applies it; the connection breaks before the answer. */
  | { readonly kind: 'lost-answer' }
  /** Storage applies it; the answer says otherwise. */
  | { readonly kind: 'false-answer'; readonly status: number }
  /** The connection breaks now; storage applies it this much later, when the sender has long tried again. */
  | { readonly kind: 'late-request'; readonly delayMs: number }
  /** Storage applies it at once; its answer takes this long. */
  | { readonly kind: 'late-answer'; readonly delayMs: number }
  /** Refused without being applied. */
  | { readonly kind: 'refusal'; readonly status: number; readonly code: string }

/** A real HTTP proxy in front of the run's Azurite blob service, which does to each request what `fault` says. */
export async function faultyStorage(prefix: string, fault: (request: BlobRequest) => Fault) {
  const target = /BlobEndpoint=([^;]+)/.exec(testConnectionString())?.[1] ?? ''
  const late = new Set<Promise<unknown>>()
  const server = createServer((incoming, outgoing) => {
    pass(new URL(target), incoming, outgoing, { fault, late }).catch(() => outgoing.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const endpoint = `http://127.0.0.1:${port}${new URL(target).pathname}`
  const connectionString = testConnectionString().replace(/BlobEndpoint=[^;]+/, `BlobEndpoint=${endpoint}`)
  const storage: StorageAccount = connectStorage({ kind: 'connection-string', connectionString }, prefix)
  return {
    storage,
    /** Resolves when every late request has reached storage. */
    settled: () => Promise.all(late),
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export interface BlobRequest {
  readonly method: string
  readonly path: string
  readonly isAppend: boolean
  readonly isCreate: boolean
}

async function pass(
  target: URL,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { fault, late }: { fault: (request: BlobRequest) => Fault; late: Set<Promise<unknown>> },
) {
  const body = await buffer(incoming)
  const path = incoming.url ?? ''
  const forward = () => send(target, incoming, body)
  const isAppend = path.includes('comp=appendblock')
  const isCreate = incoming.headers['x-ms-blob-type'] === 'AppendBlob'
  const chosen = fault({ method: incoming.method ?? '', path, isAppend, isCreate })
  switch (chosen.kind) {
    case 'none': {
      const { status, headers, body } = await forward()
      outgoing.writeHead(status, headers).end(incoming.method === 'HEAD' ? undefined : body)
      return
    }
    case 'lost-request':
      incoming.socket.destroy()
      return
    case 'lost-answer':
      await forward()
      incoming.socket.destroy()
      return
    case 'late-answer': {
      const { status, headers } = await forward()
      await sleep(chosen.delayMs)
      outgoing.writeHead(status, headers).end()
      return
    }
    case 'false-answer':
      await forward()
      outgoing.writeHead(chosen.status).end()
      return
    case 'late-request':
      late.add(sleep(chosen.delayMs).then(forward))
      incoming.socket.destroy()
      return
    case 'refusal':
      outgoing.writeHead(chosen.status, { 'x-ms-error-code': chosen.code }).end()
  }
}

async function send(target: URL, incoming: IncomingMessage, body: Buffer) {
  const upstream = request({
    host: target.hostname,
    port: target.port,
    method: incoming.method,
    path: incoming.url,
    headers: incoming.headers,
    agent: false,
  })
  upstream.end(body)
  const [answer] = (await once(upstream, 'response')) as [IncomingMessage]
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) }
}
