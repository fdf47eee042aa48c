import { UpstreamError } from '../azure/upstream-http'
import type { TokenUsage } from '../metering/usage-record'
import { readUsage } from './read-usage'
import { dataOf, DONE, endOfLastEvent, endOfWellFormed, splitEvents } from './sse'
import { TextTally } from './text-tally'

/** Servers write JSON with or without a space behind the colon; `null` values, which most chunks have, match neither. */
const spellings = (key: string, opening: string) =>
  [`"${key}":${opening}`, `"${key}": ${opening}`].map((text) => Buffer.from(text))
const USAGE = spellings('usage', '{')
const FINISH = spellings('finish_reason', '"')
const ERROR = spellings('error', '{')
const PROMPT_FILTER_KEY = Buffer.from('"prompt_filter_results"')
const NO_BYTES: Buffer = Buffer.alloc(0)
/** No event of a chat stream is near this; more without an end is no event stream. */
const EVENT_BYTES_MAX = 4 * 1024 * 1024

/**
 * The bytes of a chat stream on their way through: holds back what is not a whole event yet, reads usage, and takes out
 * the chunks that the client did not ask for. Chunks that need nothing pass as they are, without being parsed.
 */
export class StreamEvents {
  usage: TokenUsage | undefined
  /** `[DONE]` has passed. */
  done = false
  /** A finish reason has passed. */
  finished = false
  /** The backend has told a failure inside the stream. */
  failed = false
  /** An event that is no JSON has come; nothing from it on is passed on. */
  malformed = false
  readonly tally = new TextTally()
  readonly #keepUsageChunk: boolean
  #hidePromptFilterChunk: boolean
  #partial = NO_BYTES

  constructor(options: { keepUsageChunk: boolean; hidePromptFilterChunk: boolean }) {
    this.#keepUsageChunk = options.keepUsageChunk
    this.#hidePromptFilterChunk = options.hidePromptFilterChunk
  }

  /** The bytes that can be sent on after `chunk` has arrived. Throws when the bytes are no event stream. */
  take(chunk: Buffer): Buffer {
    const bytes = this.#partial.length > 0 ? Buffer.concat([this.#partial, chunk]) : chunk
    const end = endOfLastEvent(bytes)
    this.#partial = end === bytes.length ? NO_BYTES : bytes.subarray(end)
    if (this.#partial.length > EVENT_BYTES_MAX) throw new UpstreamError('broken', 'the answer is not an event stream')
    return this.#pass(bytes.subarray(0, end))
  }

  /** The last bytes: some servers leave out the empty line behind the last event. */
  finish(): Buffer {
    if (this.#partial.length === 0) return NO_BYTES
    const rest = Buffer.concat([this.#partial, Buffer.from('\n\n')])
    this.#partial = NO_BYTES
    return this.#pass(rest)
  }

  #pass(arrived: Buffer): Buffer {
    const events = arrived.subarray(0, endOfWellFormed(arrived))
    this.malformed ||= events.length < arrived.length
    if (events.length === 0) return events
    this.tally.add(events)
    this.finished ||= has(events, FINISH)
    if (has(events, ERROR)) this.failed ||= splitEvents(events).some(isError)
    if (events.includes(DONE)) this.done = splitEvents(events).some(isDone)
    if (!has(events, USAGE) && !this.#hidePromptFilterChunk) return events
    return Buffer.concat(splitEvents(events).filter((event) => !this.#isHidden(event)))
  }

  #isHidden(event: Buffer): boolean {
    if (this.#hidePromptFilterChunk && event.includes(PROMPT_FILTER_KEY)) {
      this.#hidePromptFilterChunk = false
      return hasNoChoices(dataOf(event))
    }
    if (!has(event, USAGE)) return false
    const data = dataOf(event) as { usage?: unknown } | undefined
    const usage = readUsage(data?.usage)
    if (!usage) return false
    this.usage = usage
    return !this.#keepUsageChunk && hasNoChoices(data)
  }
}

function hasNoChoices(data: unknown): boolean {
  const choices = (data as { choices?: unknown } | undefined)?.choices
  return Array.isArray(choices) && choices.length === 0
}

function has(bytes: Buffer, patterns: readonly Buffer[]): boolean {
  return patterns.some((pattern) => bytes.includes(pattern))
}

function isError(event: Buffer): boolean {
  const error = (dataOf(event) as { error?: unknown } | undefined)?.error
  return typeof error === 'object' && error !== null
}

function isDone(event: Buffer): boolean {
  return /^data:\s*\[DONE\]/m.test(event.toString('latin1'))
}
