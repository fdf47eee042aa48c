import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Refusal } from './errors'
import { newDraft, type Draft, type Exchange } from './exchange'
import type { ChosenFault } from './faults'
import type { LedgerRecord } from './ledger'
import type { ModelAccount } from './model-account'
import type { Resource } from './resource'
import { nowMs } from './ticker-wheel'

const EVENT_STREAM = 'text/event-stream; charset=utf-8'

/**
 * One call from its first byte to its last: sends the answer and writes the ledger's record when the connection is done
 * with it, whatever ended it. What the record says was sent was really handed to the connection.
 */
export class HttpExchange implements Exchange {
  readonly id: string = randomUUID()
  readonly record: Draft
  readonly #resource: Resource
  readonly #response: ServerResponse
  readonly #socket: Socket
  readonly #headers: string[]
  readonly #startedMs = nowMs()
  #delivered = false
  /** Output tokens in the last part, which count once it was handed over. */
  #lastTokens = 0
  #spoiled = false
  #closed = false
  readonly #onEnd: (() => void)[] = []

  constructor(
    { resource, account }: { resource: Resource; account: ModelAccount },
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ) {
    this.#resource = resource
    this.#response = response
    this.#socket = request.socket
    const clientRequestId = headerText(request.headers['x-ms-client-request-id'])
    this.#headers = answerHeaders(this.id, clientRequestId ?? this.id, account.region)
    this.record = newDraft({
      id: this.id,
      account: account.name,
      path,
      clientRequestId: clientRequestId ?? headerText(request.headers['x-request-id']) ?? null,
    })
    resource.inFlight++
    // Before Node's own listener, which ends the socket of a `connection: close` call and would look like a lost client.
    response.prependListener('finish', () => {
      this.#delivered = !this.#socket.destroyed && !this.#socket.writableEnded
      if (this.#delivered) this.record.tokensSent += this.#lastTokens
    })
    response.on('close', () => this.#end())
  }

  get closed(): boolean {
    return this.#closed
  }

  onEnd(run: () => void): void {
    this.#onEnd.push(run)
  }

  noteFault(fault: ChosenFault, spoils: boolean): void {
    this.record.fault = fault.text
    this.#spoiled = spoils
  }

  answer(body: string, headers: readonly string[]): void {
    this.#lastTokens = this.record.outputTokens - this.record.reasoningTokens
    this.json(200, body, headers)
  }

  refuse(refusal: Refusal): void {
    this.json(refusal.status, refusal.body, refusal.headers)
  }

  json(status: number, body: string, headers: readonly string[] = [], length?: number): void {
    if (this.#closed) return
    this.record.status = status
    const bytes = Buffer.byteLength(body)
    const type = ['content-type', 'application/json', 'content-length', String(length ?? bytes)]
    this.#response.writeHead(status, this.#headers.concat(type, headers))
    if (length === undefined) {
      // Text whose bytes are its characters is ASCII, which Node writes without encoding it.
      this.#response.end(body, bytes === body.length ? 'latin1' : 'utf8')
      return
    }
    this.#response.write(body)
    this.cut()
  }

  content(body: string | Buffer, type: string, headers: readonly string[] = []): void {
    if (this.#closed) return
    this.record.status = 200
    this.#lastTokens = this.record.outputTokens
    const described = ['content-type', type, 'content-length', String(Buffer.byteLength(body))]
    this.#response.writeHead(200, this.#headers.concat(described, headers))
    this.#response.end(body)
  }

  openStream(headers: readonly string[], type = EVENT_STREAM): void {
    this.record.status = 200
    this.#response.writeHead(200, this.#headers.concat(['content-type', type], headers))
  }

  flush(): void {
    this.#response.flushHeaders()
  }

  write(text: string, tokens: number, encoding: BufferEncoding = 'utf8'): boolean {
    return this.#response.write(text, encoding, (error) => {
      if (error === undefined || error === null) this.record.tokensSent += tokens
    })
  }

  onceDrained(run: () => void): void {
    this.#response.once('drain', run)
  }

  end(text: string, tokens: number, encoding: BufferEncoding = 'utf8'): void {
    this.#lastTokens = tokens
    this.#response.end(text, encoding)
  }

  cut(): void {
    this.#socket.destroySoon()
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#resource.inFlight--
    for (const run of this.#onEnd) run()
    this.#resource.ledger.add({ ...this.record, durationMs: nowMs() - this.#startedMs, outcome: this.#outcome() })
  }

  #outcome(): LedgerRecord['outcome'] {
    if (this.#spoiled) return 'faulted'
    if (!this.#delivered) return 'client-gone'
    return this.record.status >= 400 ? 'rejected' : 'completed'
  }
}

/** The headers of every answer, as captured from the service. */
function answerHeaders(id: string, clientRequestId: string, region: string): string[] {
  return [
    'cache-control',
    'no-cache, must-revalidate',
    'access-control-allow-origin',
    '*',
    'apim-request-id',
    id,
    'x-request-id',
    id,
    'x-ms-client-request-id',
    clientRequestId,
    'x-ms-region',
    region,
    'x-content-type-options',
    'nosniff',
    'strict-transport-security',
    'max-age=31536000; includeSubDomains; preload',
    'x-accel-buffering',
    'no',
  ]
}

function headerText(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
