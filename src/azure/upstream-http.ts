import { Readable } from 'node:stream'
import { Agent, type Dispatcher } from 'undici'
import { assertNever } from '../base/assert'
import { systemClock, type Clock } from '../base/clock'
import { CallWatch, type PassedTimeout } from './call-watch'
import { readUpstreamHeaders, type UpstreamHeaders } from './upstream-headers'

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

export interface UpstreamSend {
  /** `POST` where absent. */
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /**
   * Pieces are taken as the connection takes them, and given back (`return`) where the call ends before them; without a
   * `content-length` they go in chunks. The first-byte timeout has room for all of them. Absent for none.
   */
  readonly body?: Buffer | AsyncIterable<Uint8Array>
  /** Until a connection is there; `CONNECT_TIMEOUT_MS` at most and where absent. */
  readonly connectTimeoutMs?: number
  /** From sending to the first piece of the answer's body. */
  readonly firstByteTimeoutMs: number
  /** Between two pieces of the answer's body. */
  readonly idleTimeoutMs: number
  /** From the beginning to the answer's last piece; unbounded where absent. */
  readonly totalTimeoutMs?: number
  /** Ends the call at the backend, before or while it answers. */
  readonly signal?: AbortSignal
}

export interface UpstreamResponse {
  readonly status: number
  readonly headers: UpstreamHeaders
  readonly body: UpstreamBody
}

/** Why a backend gave no (more) answer. */
export class UpstreamError extends Error {
  readonly kind: 'connect' | 'timeout' | 'broken' | 'cancelled'
  constructor(kind: UpstreamError['kind'], message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'UpstreamError'
    this.kind = kind
  }
}

/** The network's own bound on making a connection, which all calls to an origin share. */
const CONNECT_TIMEOUT_MS = 10_000
const TOTAL_TIMEOUT_MS_DEFAULT = 60 * 60_000
const CONNECTIONS_PER_ORIGIN_MAX = 2_048
const KEEP_ALIVE_MS = 55_000
/** Held for a reader that is slower than the backend, before the socket is paused. */
const BUFFERED_BYTES_MAX = 256 * 1024

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

/**
 * One request and its answer, as undici tells of them. By its raw interface: the other one makes an object of every header and strings of
 * all their names, of which next to nothing is read, at a fifteenth of a call's processor time.
 */
class UpstreamExchange implements Dispatcher.DispatchHandler, Connection {
  readonly response: Promise<UpstreamResponse>
  readonly #body: UpstreamBody
  readonly #watch: CallWatch
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: (() => void) | undefined
  #resolve: (response: UpstreamResponse) => void = nothing
  #reject: (error: UpstreamError) => void = nothing
  #abort: ((error?: Error) => void) | undefined
  #resume: (() => void) | undefined
  #isHeld = false

  constructor(clock: Clock, { connectTimeoutMs = CONNECT_TIMEOUT_MS, signal, ...request }: UpstreamSend) {
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#body = new UpstreamBody(() => this.#over())
    this.#watch = new CallWatch(clock, this, {
      connectMs: Math.min(connectTimeoutMs, CONNECT_TIMEOUT_MS),
      firstByteMs: request.firstByteTimeoutMs,
      idleMs: request.idleTimeoutMs,
      totalMs: request.totalTimeoutMs ?? TOTAL_TIMEOUT_MS_DEFAULT,
    })
    this.#signal = signal
    if (!signal) return
    // `connect` where nothing was sent.
    this.#onAbort = () => this.#end(new UpstreamError(this.#watch.isSent ? 'cancelled' : 'connect', GIVEN_UP))
    if (signal.aborted) this.#onAbort()
    else signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get isOver(): boolean {
    return this.#body.isOver
  }

  get isPaused(): boolean {
    return this.#body.isPaused
  }

  waits(): void {
    this.#watch.waits()
  }

  timedOut(passed: PassedTimeout): void {
    this.#end(timeoutError(passed))
  }

  pause(): void {
    this.#isHeld = true
  }

  resume(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#resume?.()
  }

  abort(error: UpstreamError): void {
    this.#abort?.(error)
    this.#abort = undefined
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort
    this.#watch.sent()
    this.#body.attach(this)
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void): boolean {
    this.#resume = resume
    // An interim answer (103) announces one.
    if (status >= 200) this.#resolve({ status, headers: readUpstreamHeaders(headers), body: this.#body })
    return !this.#isHeld
  }

  onData(chunk: Buffer): boolean {
    this.#watch.piece()
    this.#body.push(chunk)
    return !this.#isHeld
  }

  onComplete(): void {
    this.#body.end()
  }

  onError(error: Error): void {
    const failure = classify(error)
    this.#body.fail(failure)
    this.#reject(failure)
  }

  #end(failure: UpstreamError): void {
    this.#body.cancel(failure)
    this.#reject(failure)
  }

  #over(): void {
    this.#watch.over()
    if (this.#onAbort) this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}

const GIVEN_UP = 'the call was given up'
const nothing = () => {}

/** A stream of undici's own reads from pieces as the socket takes them, and ends their source where the call ends. */
const bodyOf = (body: Buffer | AsyncIterable<Uint8Array>) =>
  Buffer.isBuffer(body) ? body : Readable.from(body, { objectMode: false })

function timeoutError(passed: PassedTimeout): UpstreamError {
  switch (passed) {
    case 'connect':
      return new UpstreamError('connect', 'no connection within the connect timeout')
    case 'first-byte':
      return new UpstreamError('timeout', 'no answer within the first-byte timeout')
    case 'idle':
      return new UpstreamError('timeout', 'the answer paused for longer than the idle timeout')
    case 'total':
      return new UpstreamError('timeout', 'the total timeout has passed')
    default:
      return assertNever(passed)
  }
}

function classify(error: Error & { code?: string }): UpstreamError {
  if (error instanceof UpstreamError) return error
  switch (error.code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return new UpstreamError('connect', `no connection: ${error.code}`, { cause: error })
    default:
      return new UpstreamError('broken', `the connection broke: ${error.code ?? error.message}`, { cause: error })
  }
}

/** On which an answer comes. */
interface Connection {
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
