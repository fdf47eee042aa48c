import { UpstreamError } from '../azure/upstream-error'
import type { UpstreamResponse } from '../azure/upstream-exchange'
import type { Clock } from '../base/clock'
import { describeError, type Log } from '../base/log'
import { Problem } from '../base/problem'
import type { Answer } from '../inference/answer'
import type { EndedResponse, Renaming } from '../inference/binding'
import { ResponseEvents } from '../inference/response-events'
import { withLineFeeds } from '../inference/sse'
import type { ResponseRecord } from './response-record'

export interface Following {
  readonly record: ResponseRecord
  readonly renames: readonly Renaming[]
  /** Resolves when its end is entered; awaited before the client hears of it (I8). */
  readonly onEnded: (ended: EndedResponse) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** As of the stream of a call: the Functions library buffers what a slow client has not taken (I14). */
const STREAM_BYTES_MAX = 64 * 1024 * 1024
const TOTAL_MS_MAX = 20 * 60_000
const NO_BYTES: Buffer = Buffer.alloc(0)

/** The events of a response that goes on in the background, for as long as somebody reads them: it needs nobody to go on. */
export function followResponse(answer: UpstreamResponse, following: Following): Answer {
  return {
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    },
    body: events(answer, following),
  }
}

async function* events(
  answer: UpstreamResponse,
  { record, renames, onEnded, clock, log }: Following,
): AsyncGenerator<Uint8Array> {
  const body = withLineFeeds(answer.body)
  let entered: Promise<void> | undefined
  const pass = new ResponseEvents({
    renames,
    ourId: record.id,
    onEnded: (ended) => {
      entered = onEnded(ended)
    },
  })
  const startedMs = clock.monotonicMs()
  let bytes = 0
  try {
    for (let piece = await body.next(); piece; piece = pass.done ? undefined : await body.next()) {
      const output = pass.take(piece)
      bytes += output.length
      if (bytes > STREAM_BYTES_MAX) throw new UpstreamError('broken', 'the stream is larger than its bound')
      if (clock.monotonicMs() - startedMs > TOTAL_MS_MAX)
        throw new UpstreamError('timeout', 'the total timeout has passed')
      await entered
      if (output.length > 0) yield output
      if (pass.malformed) throw new UpstreamError('broken', 'the stream holds what is no event')
    }
    const rest = pass.done ? NO_BYTES : pass.finish()
    await entered
    if (rest.length > 0) yield rest
    if (pass.malformed) throw new UpstreamError('broken', 'the stream ends with what is no event')
  } catch (error) {
    log.warn('a stream of a stored response broke off', { responseId: record.id, detail: describeError(error) })
    yield broken(new Problem('upstream_failed', 'The events broke off; the response goes on, and can be read again.'))
  } finally {
    body.cancel('nobody reads on')
  }
}

/** Not the response's failure: it may go on, and its events can be asked for from the last one that came. */
function broken({ code, public: message }: Problem): Buffer {
  const data = { type: 'error', code, message, param: null, sequence_number: 0 }
  return Buffer.from(`event: error\ndata: ${JSON.stringify(data)}\n\n`)
}
