import { UpstreamError } from '../azure/upstream-error'
import { assert } from '../base/assert'
import { describeError, type Log } from '../base/log'
import { Problem, ProblemError } from '../base/problem'
import type { ProblemCode } from '../base/problem-codes'
import { stopping } from '../base/stopping'
import type { RateView } from '../limits/limiter'
import { noTokens, type TokenUsage } from '../metering/usage-record'
import type { ClientGonePolicy } from '../tenants/snapshot'
import type { Answer } from './answer'
import { answerHeaders } from './answer-headers'
import type { EventPass } from './event-pass'
import type { UpstreamAnswer } from './forward'
import type { Call } from './read-call'
import { estimatedUsage, type RelayedResponse } from './relay-response'
import { ResponseEvents } from './response-events'
import type { Gathering } from './gathering'
import type { RunningCall } from './running-call'
import { StreamEvents } from './stream-events'

export interface RelayContext {
  readonly running: RunningCall
  readonly requestId: string
  readonly rates: RateView
  /** Our count of the prompt, for answers that report no usage. */
  readonly promptEstimate: number
  /** Whether the client gets the usage chunk, which is always asked for upstream. */
  readonly keepUsageChunk: boolean
  readonly hidePromptFilterChunk: boolean
  readonly call: Call
  /** What becomes of the rest of an answer that its client no longer reads. */
  readonly clientGone: ClientGonePolicy
  readonly gathering: Gathering
  readonly log: Log
  /** Of a call that makes a response. */
  readonly response?: RelayedResponse | undefined
}

type StreamAnswer = Extract<UpstreamAnswer, { kind: 'stream' }>

/** One stream may not send more than this: what a slow client has not taken waits in memory (I14). */
const STREAM_BYTES_MAX = 64 * 1024 * 1024
/** From a call's arrival to its last byte; below the 30 minutes after which the Functions host ends an invocation. */
export const TOTAL_TIMEOUT_MS = 20 * 60_000

export function relayStream(answer: StreamAnswer, context: RelayContext): Answer {
  return {
    status: 200,
    headers: {
      ...answerHeaders(answer.headers, context),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    },
    body: new StreamRelay(answer, context),
  }
}

/**
 * Passes a stream on in whole events, reading usage as they pass. It owns the call from here: whichever way the stream
 * ends, the call is settled once. When the reader stops early (the client has gone), the tenant's policy decides: `drain` reads
 * the rest, so that the provider's own usage is what is metered; `cancel` ends the call there, and what came is counted.
 */
class StreamRelay implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #answer: StreamAnswer
  readonly #context: RelayContext
  readonly #events: EventPass
  #first: Buffer | undefined
  #bytes = 0
  #pieces = 0
  #state: 'open' | 'over' = 'open'
  #hasClient = true

  constructor(answer: StreamAnswer, context: RelayContext) {
    this.#answer = answer
    this.#context = context
    this.#events = this.#eventsOf(context)
    this.#first = answer.first
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#state === 'open') {
      const output = await this.#step().catch((error: unknown) => this.#breakOff(error))
      if (output.length > 0) return { done: false, value: output }
    }
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#hasClient = false
    // The next step then finds the answer broken off.
    // A response in the background is metered when it ends, whoever reads it.
    const { clientGone, response } = this.#context
    if (clientGone === 'cancel' || response?.binding.isBackground) this.#answer.rest.cancel('the client has gone')
    while (this.#state === 'open') await this.#step().catch((error: unknown) => this.#breakOff(error))
    return { done: true, value: undefined }
  }

  #eventsOf({ call, response, ...options }: RelayContext): EventPass {
    const { events = 'chat' } = call.operation
    if (events !== 'responses') return new StreamEvents({ ...options, events })
    assert(response, 'a response has its binding')
    const { binding, grant, estimate } = response
    const { backend } = this.#answer
    return new ResponseEvents({
      renames: binding.renames,
      ourId: binding.id,
      onBegun: ({ upstreamId }) => binding.begun({ upstreamId, backend, grant, estimate, ended: undefined }),
      onEnded: binding.ended,
    })
  }

  /** One piece from upstream to output; an empty output means that there is nothing to send yet. */
  async #step(): Promise<Buffer> {
    if (this.#events.malformed) throw new UpstreamError('broken', 'the stream holds an event that is no JSON')
    const chunk = this.#first ?? (await this.#nextPiece())
    this.#first = undefined
    const output = chunk ? this.#events.take(chunk) : this.#events.finish()
    this.#bytes += output.length
    if (this.#bytes > STREAM_BYTES_MAX) throw new UpstreamError('broken', 'the stream is larger than its bound')
    if (this.#context.running.ageMs > TOTAL_TIMEOUT_MS)
      throw new UpstreamError('timeout', 'the total timeout has passed')
    if (output.length > 0) this.#context.running.firstByte()

    if (this.#events.done) {
      await this.#complete()
      // What may follow [DONE] belongs to no event; the connection goes back to its pool when it has been read.
      void drain(this.#answer)
    } else if (!chunk) {
      await this.#endWithoutDone()
    }
    return output
  }

  async #nextPiece(): Promise<Buffer | undefined> {
    const pause = this.#context.gathering.pause(++this.#pieces)
    if (pause) await pause
    return this.#answer.rest.next()
  }

  /** The whole answer is here: settled first, so that intent and settlement share one write, then sent on. */
  async #complete(): Promise<void> {
    const { usage, failed } = this.#events
    await this.#end(failed ? 'interrupted' : 'completed', usage)
    await this.#durable()
  }

  #durable(): Promise<unknown> {
    const { running, response } = this.#context
    return response ? Promise.all([running.durable(), response.binding.kept()]) : running.durable()
  }

  /** Some servers send no [DONE]; an answer with a finish reason is whole all the same. */
  async #endWithoutDone(): Promise<void> {
    if (this.#events.failed) return this.#end('interrupted', this.#events.usage)
    if (!this.#events.finished) throw new UpstreamError('broken', 'the stream ended before its answer did')
    await this.#complete()
  }

  async #end(
    outcome: 'completed' | 'interrupted',
    reported: TokenUsage | undefined,
    code?: ProblemCode,
  ): Promise<void> {
    const { running, promptEstimate } = this.#context
    const usage: TokenUsage = reported ?? {
      ...noTokens,
      promptTokens: promptEstimate,
      outputTokens: await this.#events.tally.tokens(),
    }
    this.#state = 'over'
    const { backend, attempts } = this.#answer
    // A response in the background goes on without us, unless it has told its end.
    const later = this.#context.response?.binding.isBackground ? this.#context.response : undefined
    running.end({
      outcome,
      status: 200,
      code: code && !this.#hasClient ? 'client_closed_request' : code,
      usage: later && !reported ? estimatedUsage(later.estimate) : usage,
      estimated: !reported,
      backend,
      attempts,
      isMeteredLater: later !== undefined,
    })
  }

  /** After the first byte a failure can only be told inside the stream. */
  async #breakOff(error: unknown): Promise<Buffer> {
    const { running, log } = this.#context
    const problem = running.isCut ? stopping : problemOf(error)
    log.warn('a stream broke off', {
      traceId: running.trace?.traceId,
      code: problem.code,
      detail: describeError(error),
    })
    this.#answer.rest.cancel('the relay has ended')
    // What is cancelled otherwise is cancelled because the client has gone.
    const isOurs = running.isCut || !(error instanceof UpstreamError && error.kind === 'cancelled')
    const code = isOurs ? problem.code : 'client_closed_request'
    if (!running.ended) await this.#end('interrupted', this.#events.usage, code)
    this.#state = 'over'
    await this.#durable().catch(() => {})
    return this.#events.brokenBy(problem)
  }
}

/** A line end, or what a server adds of its own; the connection of one that says more is given up. */
const BEHIND_THE_END_BYTES_MAX = 64 * 1024

async function drain({ rest }: StreamAnswer): Promise<void> {
  try {
    let bytes = 0
    for (let piece = await rest.next(); piece; piece = await rest.next()) {
      bytes += piece.length
      if (bytes > BEHIND_THE_END_BYTES_MAX) return rest.cancel('the answer is over')
    }
  } catch {
    // The answer was whole; how its connection ended no longer matters.
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  if (error instanceof UpstreamError) {
    if (error.kind === 'timeout') return new Problem('upstream_timeout', 'The model backend paused for too long.')
    return new Problem('upstream_failed', 'The model backend broke off its answer.')
  }
  return new Problem('internal_error', 'The answer could not be completed.')
}
