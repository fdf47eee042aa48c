import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Departure } from '../base/departure'

/** The connections of the clients whose calls are under way. */
export interface ClientDepartures {
  /** Undefined where it is not known. */
  of(invocationId: string): ClientConnection | undefined
}

export interface ClientConnection extends Departure {
  /**
   * Resolves when the client has taken what was written of its answer, or has gone: the library writes on and on otherwise, and
   * all of it waits in memory.
   */
  taken(): Promise<void>
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
  const connections = new Map<string, Connection>()
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as RequestStart
    const invocationId = request.headers[INVOCATION_HEADER]
    if (typeof invocationId !== 'string') return
    connections.set(invocationId, new Connection(response, () => connections.delete(invocationId)))
  })
  return { of: (invocationId) => connections.get(invocationId) }
}

/** Of one answer. */
export class Connection implements ClientConnection {
  /** Let go of at the end: dead tables of the map keep what they had (`Members` tells why). */
  #response: ServerResponse | undefined
  #hasGone = false
  #gone: AbortController | undefined

  constructor(response: ServerResponse, onClosed?: () => void) {
    this.#response = response
    response.once('close', () => {
      this.#close()
      onClosed?.()
    })
  }

  get hasGone(): boolean {
    return this.#hasGone
  }

  get signal(): AbortSignal {
    if (!this.#gone) {
      this.#gone = new AbortController()
      if (this.#hasGone) this.#gone.abort()
    }
    return this.#gone.signal
  }

  async taken(): Promise<void> {
    if (this.#response) await drained(this.#response)
  }

  #close(): void {
    this.#hasGone = this.#response?.writableFinished === false
    this.#response = undefined
    if (this.#hasGone) this.#gone?.abort()
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
