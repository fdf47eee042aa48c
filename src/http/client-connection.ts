import type { ServerResponse } from 'node:http'
import type { Departure } from '../base/departure'

/**
 * The connection of a client whose call is under way. The Functions host closes its connection to the worker when the client closes the
 * one to the host, so the answer of the worker's own server tells of both.
 */
export class ClientConnection implements Departure {
  /** Let go of at the end: whatever still names the call then, names no connection. */
  #response: ServerResponse | undefined
  #hasGone = false
  #gone: AbortController | undefined

  constructor(response: ServerResponse) {
    this.#response = response
    response.once('close', () => this.#close())
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

  /** Resolves when the client has taken what was written of its answer, or has gone: what is written before then waits in memory. */
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
