import { Agent, type Dispatcher } from 'undici'

/**
 * The pools through which calls leave for model backends: HTTP/1.1 keep-alive, one pool an origin.
 * Bodies are pushed by undici into an `UpstreamBody`, which holds a bounded number of bytes and then pauses the socket.
 */
export interface UpstreamHttp {
  send(request: UpstreamSend): Promise<UpstreamResponse>
  close(): Promise<void>
}

export interface UpstreamSend {
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  /** From sending to the answer's headers. */
  readonly firstByteTimeoutMs: number
  /** Between two pieces of the answer's body. */
  readonly idleTimeoutMs: number
}

export interface UpstreamResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
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

const CONNECT_TIMEOUT_MS = 5_000
const CONNECTIONS_PER_ORIGIN_MAX = 2_048
const KEEP_ALIVE_MS = 55_000
/** Held for a reader that is slower than the backend, before the socket is paused. */
const BUFFERED_BYTES_MAX = 256 * 1024

export function createUpstreamHttp(): UpstreamHttp {
  const agent = new Agent({
    connections: CONNECTIONS_PER_ORIGIN_MAX,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
  })
  return {
    send: (request) => send(agent, request),
    close: () => agent.close(),
  }
}

function send(agent: Agent, request: UpstreamSend): Promise<UpstreamResponse> {
  return new Promise((resolve, reject) => {
    const body = new UpstreamBody()
    agent.dispatch(
      {
        origin: request.origin,
        path: request.path,
        method: 'POST',
        headers: request.headers,
        body: request.body,
        headersTimeout: request.firstByteTimeoutMs,
        bodyTimeout: request.idleTimeoutMs,
      },
      {
        onRequestStart: (controller) => body.attach(controller),
        onResponseStart: (_controller, status, headers) => resolve({ status, headers, body }),
        onResponseData: (_controller, chunk) => body.push(chunk),
        onResponseEnd: () => body.end(),
        onResponseError: (_controller, error) => {
          const failure = classify(error)
          body.fail(failure)
          reject(failure)
        },
      },
    )
  })
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
    case 'UND_ERR_HEADERS_TIMEOUT':
      return new UpstreamError('timeout', 'no answer within the first-byte timeout', { cause: error })
    case 'UND_ERR_BODY_TIMEOUT':
      return new UpstreamError('timeout', 'the answer paused for longer than the idle timeout', { cause: error })
    default:
      return new UpstreamError('broken', `the connection broke: ${error.code ?? error.message}`, { cause: error })
  }
}

/** An answer's body, read piece by piece by one reader. */
export class UpstreamBody {
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  #paused = false
  #state: { kind: 'open' } | { kind: 'ended' } | { kind: 'failed'; error: UpstreamError } = { kind: 'open' }
  #waiting: { resolve: (chunk: Buffer | undefined) => void; reject: (error: UpstreamError) => void } | undefined
  #controller: Dispatcher.DispatchController | undefined

  /** The next piece, or undefined at the end. Rejects with an `UpstreamError` when the answer broke off. */
  next(): Promise<Buffer | undefined> {
    const chunk = this.#chunks.shift()
    if (chunk) {
      this.#bufferedBytes -= chunk.length
      if (this.#paused && this.#bufferedBytes < BUFFERED_BYTES_MAX / 2) {
        this.#paused = false
        this.#controller?.resume()
      }
      return Promise.resolve(chunk)
    }
    if (this.#state.kind === 'ended') return Promise.resolve(undefined)
    if (this.#state.kind === 'failed') return Promise.reject(this.#state.error)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
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

  /** Ends the call at the backend. A reader that waits gets an error of kind `cancelled`. */
  cancel(reason: string): void {
    if (this.#state.kind !== 'open') return
    const error = new UpstreamError('cancelled', reason)
    this.fail(error)
    this.#controller?.abort(error)
  }

  attach(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
  }

  push(chunk: Buffer): void {
    if (this.#state.kind !== 'open') return
    if (this.#waiting) {
      const { resolve } = this.#waiting
      this.#waiting = undefined
      resolve(chunk)
      return
    }
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.length
    if (!this.#paused && this.#bufferedBytes > BUFFERED_BYTES_MAX) {
      this.#paused = true
      this.#controller?.pause()
    }
  }

  end(): void {
    if (this.#state.kind !== 'open') return
    this.#state = { kind: 'ended' }
    this.#waiting?.resolve(undefined)
    this.#waiting = undefined
  }

  fail(error: UpstreamError): void {
    if (this.#state.kind !== 'open') return
    this.#state = { kind: 'failed', error }
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
