import { UpstreamError } from '../azure/upstream-error'
import { describeError } from '../base/log'
import type { ProblemCode } from '../base/problem-codes'
import { noMedia, noTokens, type TokenUsage } from '../metering/usage-record'
import type { Answer } from './answer'
import { answerHeaders } from './answer-headers'
import type { UpstreamAnswer } from './forward'
import { TOTAL_TIMEOUT_MS, type RelayContext } from './relay-stream'

type StreamAnswer = Extract<UpstreamAnswer, { kind: 'stream' }>

/** An hour of uncompressed speech; what a slow client has not taken waits in memory (I14). */
const BYTES_MAX = 160 * 1024 * 1024

/** A character beyond the basic plane is one character, though two units of a string. */
const SURROGATE_PAIR = /[\uD800-\uDBFF][\uDC00-\uDFFF]/g

/**
 * Hands sound on as it comes. Its bytes tell no usage: what was asked to be spoken is metered, exactly in characters and by our
 * estimate in tokens. It owns the call: however the sound ends, the call is settled once, and when the client has gone the
 * rest is drained, since the provider bills it.
 */
export function relayBytes(answer: StreamAnswer, context: RelayContext): Answer {
  return { status: 200, headers: answerHeaders(answer.headers, context), body: pass(answer, context) }
}

async function* pass(answer: StreamAnswer, context: RelayContext): AsyncGenerator<Uint8Array> {
  const { running, log } = context
  const end = (outcome: 'completed' | 'interrupted', code?: ProblemCode) => {
    const { backend, attempts } = answer
    running.end({ outcome, status: 200, code, usage: usageOf(context), estimated: true, backend, attempts })
    return running.durable()
  }
  let bytes = 0
  let held = answer.first
  // Who reads it no further is gone, unless it broke off before.
  let code: ProblemCode = 'client_closed_request'
  try {
    for (let next = await answer.rest.next(); next; next = await answer.rest.next()) {
      bytes += next.length
      if (bytes > BYTES_MAX) throw new UpstreamError('broken', 'the answer is larger than its bound')
      if (running.ageMs > TOTAL_TIMEOUT_MS) throw new UpstreamError('timeout', 'the total timeout has passed')
      running.firstByte()
      yield held
      held = next
    }
    running.firstByte()
    // The last piece leaves once the call is in the log (I8).
    await end('completed')
    yield held
  } catch (error) {
    // A status has gone out, and bytes have no place for an error: a connection that is cut tells it.
    code = running.isCut ? 'shutting_down' : codeOf(error)
    log.warn('an answer of bytes broke off', { traceId: running.trace?.traceId, detail: describeError(error) })
    answer.rest.cancel('the relay has ended')
    throw error
  } finally {
    if (!running.ended) {
      if (context.clientGone === 'cancel') answer.rest.cancel('the client has gone')
      await drained(answer)
      await end('interrupted', code)
    }
  }
}

function codeOf(error: unknown): ProblemCode {
  if (!(error instanceof UpstreamError)) return 'internal_error'
  // What is cancelled is cancelled because the client has gone.
  if (error.kind === 'cancelled') return 'client_closed_request'
  return error.kind === 'timeout' ? 'upstream_timeout' : 'upstream_failed'
}

/** What the client did not wait for; a broken answer is at its end already. */
async function drained({ rest }: StreamAnswer): Promise<void> {
  try {
    while (await rest.next());
  } catch {
    // Nothing more comes.
  }
}

function usageOf({ promptEstimate, call }: RelayContext): TokenUsage {
  const outputTokens = call.operation.requestedOutput?.(call) ?? 0
  const { input } = call.body
  const characters = typeof input === 'string' ? input.replaceAll(SURROGATE_PAIR, '_').length : 0
  return { ...noTokens, promptTokens: promptEstimate, outputTokens, media: { ...noMedia, characters } }
}
