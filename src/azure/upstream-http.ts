import { Readable } from 'node:stream'
import { Agent } from 'undici'
import { systemClock, type Clock } from '../base/clock'
import { UpstreamError } from './upstream-error'
import { CONNECT_TIMEOUT_MS, UpstreamExchange, type UpstreamResponse, type UpstreamSend } from './upstream-exchange'

/**
 * The pools through which calls leave for model backends: HTTP/1.1 keep-alive, one pool an origin.
 * Bodies are pushed by undici into an `UpstreamBody`, which holds a bounded number of bytes and then pauses the socket.
 */
export interface UpstreamHttp {
  send(request: UpstreamSend): Promise<UpstreamResponse>
  /** Ends the calls under way, and those to come, with an error of kind `cancelled`. */
  cut(): Promise<void>
  close(): Promise<void>
}

const CONNECTIONS_PER_ORIGIN_MAX = 2_048
const KEEP_ALIVE_MS = 55_000

export function createUpstreamHttp(clock: Clock = systemClock): UpstreamHttp {
  const agent = new Agent({
    connections: CONNECTIONS_PER_ORIGIN_MAX,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // Every call has a watch of its own, whose first-byte timeout goes on until a piece of the body is there.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  return {
    send: (request) => send(agent, clock, request),
    cut: () => agent.destroy(new UpstreamError('cancelled', 'the instance is stopping')),
    // What was cut off is closed.
    close: async () => {
      if (!agent.destroyed) await agent.close()
    },
  }
}

function send(agent: Agent, clock: Clock, request: UpstreamSend): Promise<UpstreamResponse> {
  const exchange = new UpstreamExchange(clock, request)
  const { origin, path, method = 'POST', headers, body } = request
  if (!exchange.isOver)
    agent.dispatch({ origin, path, method, headers, ...(body ? { body: bodyOf(body) } : {}) }, exchange)
  exchange.waits()
  return exchange.response
}

/** A stream of undici's own reads from pieces as the socket takes them, and ends their source where the call ends. */
const bodyOf = (body: Buffer | AsyncIterable<Uint8Array>) =>
  Buffer.isBuffer(body) ? body : Readable.from(body, { objectMode: false })
