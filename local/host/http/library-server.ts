import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ProgrammingModel } from '../core/worker-types'

/**
 * How a request gets to the library.
 * - `stream-injected`: into the library's own server object, without a socket between: same code as on Azure, no hop.
 * - `stream-proxied`: over the port that the library opened, as on Azure; used when its server could not be caught.
 * - `buffered`: the app has not enabled streaming, requests and answers travel inside the invocation.
 */
export type LibraryServer =
  | { readonly kind: 'stream-injected'; readonly deliver: (req: IncomingMessage, res: ServerResponse) => void }
  | { readonly kind: 'stream-proxied'; readonly url: URL }
  | { readonly kind: 'buffered' }

/** The library takes any port but 0 for an open one; the caught server never listens on it. */
const PLACEHOLDER_PORT = 1

/**
 * Ends the app's start: asks the library for its capabilities, which locks `app.setup` and, with streaming, makes the
 * library create an HTTP server. That server is caught while it is made and kept from listening.
 */
export async function startLibrary(model: ProgrammingModel): Promise<LibraryServer> {
  const original = http.createServer
  let caught: Server | undefined
  http.createServer = ((...args: Parameters<typeof original>) => {
    caught = keepFromListening(original(...args))
    return caught
  }) as typeof original
  try {
    const { HttpUri } = await model.getCapabilities({})
    if (HttpUri === undefined) return { kind: 'buffered' }
    if (!caught) return { kind: 'stream-proxied', url: new URL(HttpUri) }
    const server = caught
    return { kind: 'stream-injected', deliver: (req, res) => void server.emit('request', req, res) }
  } finally {
    http.createServer = original
  }
}

function keepFromListening(server: Server): Server {
  server.address = () => ({ port: PLACEHOLDER_PORT, family: 'IPv4', address: '127.0.0.1' })
  server.listen = ((onListening?: () => void) => {
    if (onListening) queueMicrotask(onListening)
    return server
  }) as Server['listen']
  return server
}
