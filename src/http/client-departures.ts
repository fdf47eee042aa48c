import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Which of the clients of the calls under way have gone. */
export interface ClientDepartures {
  /** Aborted when the client of the invocation goes before its answer is whole. Undefined where its connection is not known. */
  signalOf(invocationId: string): AbortSignal | undefined
  /**
   * Gives a promise of the moment when the client has taken what was written of its answer, or has gone: the library writes
   * on and on otherwise, and all of it waits in memory. Undefined where its connection is not known.
   */
  takenOf(invocationId: string): (() => Promise<void>) | undefined
}

/** By this header the Functions host tells its worker which HTTP request belongs to which invocation. */
const INVOCATION_HEADER = 'x-ms-invocation-id'

interface RequestStart {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/**
 * The Functions library shows its handlers no connection (I14), but Node announces every request that a server of this process
 * takes (diagnostics channel `http.server.request.start`). The host closes its connection to the worker when the client closes
 * the one to the host. Nothing is kept of a request whose response is over.
 */
export function watchClientDepartures(): ClientDepartures {
  const responses = new Map<string, ServerResponse>()
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as RequestStart
    const invocationId = request.headers[INVOCATION_HEADER]
    if (typeof invocationId !== 'string') return
    responses.set(invocationId, response)
    response.once('close', () => responses.delete(invocationId))
  })
  return {
    signalOf: (invocationId) => {
      const response = responses.get(invocationId)
      if (!response) return undefined
      const gone = new AbortController()
      response.once('close', () => {
        if (!response.writableFinished) gone.abort()
      })
      return gone.signal
    },
    takenOf: (invocationId) => {
      const response = responses.get(invocationId)
      return response && (() => drained(response))
    },
  }
}

function drained(response: ServerResponse): Promise<void> {
  if (!response.writableNeedDrain || response.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}
