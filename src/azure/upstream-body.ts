import { UpstreamError } from './upstream-error'

/** Held for a reader that is slower than the backend, before the socket is paused. */
const BUFFERED_BYTES_MAX = 256 * 1024

/** On which an answer comes. */
export interface Connection {
  pause(): void
  resume(): void
  abort(error: UpstreamError): void
}

/** An answer's body, read piece by piece by one reader. */
export class UpstreamBody {
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  #paused = false
  #state: { kind: 'open' } | { kind: 'ended' } | { kind: 'failed'; error: UpstreamError } = { kind: 'open' }
  #onReadable: (() => void) | undefined
  #connection: Connection | undefined
  readonly #onOver: () => void

  /** `onOver` is called once, when no more pieces will come. */
  constructor(onOver: () => void) {
    this.#onOver = onOver
  }

  /** No more pieces will come. */
  get isOver(): boolean {
    return this.#state.kind !== 'open'
  }

  /** Whether it holds all that it may, and the backend has to wait for the reader. */
  get isPaused(): boolean {
    return this.#paused
  }

  /**
   * All that is there, or the next piece, or undefined at the end. Pieces that came together are given together: under load
   * each costs its reader a turn and a write, and fewer of them is what lets a busy process catch up. Rejects with an
   * `UpstreamError` when the answer broke off.
   */
  async next(): Promise<Buffer | undefined> {
    if (this.#chunks.length === 0 && this.#state.kind === 'open') await this.readable()
    const [first] = this.#chunks
    if (first) {
      const pieces = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#bufferedBytes)
      this.#chunks = []
      this.#bufferedBytes = 0
      if (this.#paused) {
        this.#paused = false
        this.#connection?.resume()
      }
      return pieces
    }
    if (this.#state.kind === 'failed') throw this.#state.error
    return undefined
  }

  /** Resolves when `next` would not wait: a piece, the end or a failure is there. Takes nothing. One at a time. */
  readable(): Promise<void> {
    if (this.#chunks.length > 0 || this.#state.kind !== 'open') return Promise.resolve()
    return new Promise((resolve) => {
      this.#onReadable = resolve
    })
  }

  /** The whole body; undefined when it is larger than `bytesMax` (the rest is then not read). */
  async readAll(bytesMax: number): Promise<Buffer | undefined> {
    const chunks: Buffer[] = []
    let bytes = 0
    for (;;) {
      const chunk = await this.next()
      if (!chunk) return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
      bytes += chunk.length
      if (bytes > bytesMax) {
        this.cancel('the answer is larger than its bound')
        return undefined
      }
      chunks.push(chunk)
    }
  }

  /** Ends the call at the backend. A reader that waits gets the error, by default one of kind `cancelled`. */
  cancel(reason: string | UpstreamError): void {
    if (this.#state.kind !== 'open') return
    const error = typeof reason === 'string' ? new UpstreamError('cancelled', reason) : reason
    this.fail(error)
    this.#connection?.abort(error)
  }

  attach(connection: Connection): void {
    this.#connection = connection
    // Given up while it waited for a connection.
    if (this.#state.kind === 'failed') connection.abort(this.#state.error)
  }

  push(chunk: Buffer): void {
    if (this.#state.kind !== 'open') return
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.length
    this.#wake()
    if (!this.#paused && this.#bufferedBytes > BUFFERED_BYTES_MAX) {
      this.#paused = true
      this.#connection?.pause()
    }
  }

  end(): void {
    if (this.#state.kind !== 'open') return
    this.#state = { kind: 'ended' }
    this.#onOver()
    this.#wake()
  }

  fail(error: UpstreamError): void {
    if (this.#state.kind !== 'open') return
    this.#state = { kind: 'failed', error }
    this.#onOver()
    this.#wake()
  }

  #wake(): void {
    this.#onReadable?.()
    this.#onReadable = undefined
  }
}
