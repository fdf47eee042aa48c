import type { Dispatcher } from 'undici'
import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import { CallWatch, type PassedTimeout } from './call-watch'
import { UpstreamBody, type Connection } from './upstream-body'
import { UpstreamError } from './upstream-error'
import { readUpstreamHeaders, type UpstreamHeaders } from './upstream-headers'

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

/** The network's own bound on making a connection, which all calls to an origin share. */
export const CONNECT_TIMEOUT_MS = 10_000
const TOTAL_TIMEOUT_MS_DEFAULT = 60 * 60_000

/**
 * One request and its answer, as undici tells of them. By its raw interface: the other one makes an object of every header and strings of
 * all their names, of which next to nothing is read, at a fifteenth of a call's processor time.
 */
export class UpstreamExchange implements Dispatcher.DispatchHandler, Connection {
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
