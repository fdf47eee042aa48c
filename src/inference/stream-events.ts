import type { Problem } from '../base/problem'
import { noMedia, type TokenUsage } from '../metering/usage-record'
import { errorBody } from './answer'
import type { EventPass } from './event-pass'
import { OPEN_BRACE } from './json-characters'
import type { EventShape } from './operation'
import { readUsage } from './read-usage'
import { dataOf, endOfEvent, hasData, isEvent, looksLikeJson, WholeEvents } from './sse'
import { TextTally } from './text-tally'

/** `data: [DONE]` and its line ends. */
const DONE_CHARACTERS_MAX = 20
const LETTER_D = 0x64
const LETTER_E = 0x65
const LETTER_T = 0x74
const PLAIN_START = 'data: {"'
const USAGE_KEY = '"usage"'
/** A data line that tells an error, with or without spaces behind its colons. */
const ERROR_EVENT = /^data: ?\{"(?:error": ?\{|type": ?"error")/m
const FINISH_REASON = /"finish_reason": ?"/
/** Events of responses are another class's (`ResponseEvents`). */
export type ChunkShape = Exclude<EventShape, 'responses'>
/** No event is near this; more without an end is no event stream. A drawn image is the largest. */
const EVENT_BYTES_MAX: Readonly<Record<ChunkShape, number>> = {
  chat: 4 * 1024 * 1024,
  completions: 4 * 1024 * 1024,
  transcript: 4 * 1024 * 1024,
  images: 32 * 1024 * 1024,
}

/**
 * The bytes of a stream of chunks on their way through: holds back what is not a whole event yet, reads usage, and takes out
 * the chunks that the client did not ask for. This runs for every event of every stream, so an event is judged by a few
 * of its characters and parsed only if it holds usage. Scanning goes over a Latin-1 view of the bytes, in which a character's
 * index is its byte's: searching strings is several times faster than searching buffers.
 */
export class StreamEvents implements EventPass {
  usage: TokenUsage | undefined
  /** `[DONE]` has passed. */
  done = false
  /** The backend has told a failure inside the stream. */
  failed = false
  /** An event that is no JSON has come; nothing from it on is passed on. */
  malformed = false
  readonly tally: TextTally
  readonly #shape: EventShape
  readonly #whole: WholeEvents
  readonly #keepUsageChunk: boolean
  #hidePromptFilterChunk: boolean
  #last = ''
  #images = 0

  constructor(options: { events: ChunkShape; keepUsageChunk: boolean; hidePromptFilterChunk: boolean }) {
    this.tally = new TextTally(options.events)
    this.#shape = options.events
    this.#whole = new WholeEvents(EVENT_BYTES_MAX[options.events])
    this.#keepUsageChunk = options.keepUsageChunk
    this.#hidePromptFilterChunk = options.hidePromptFilterChunk
  }

  /**
   * Whether the answer is whole although `[DONE]` never came, which some servers do not send: usage comes behind the
   * last choice, and a server that reports none has its finish reason in its last events.
   */
  get finished(): boolean {
    return this.done || this.usage !== undefined || FINISH_REASON.test(this.#last)
  }

  /** The bytes that can be sent on after `chunk` has arrived. Throws when the bytes are no event stream. */
  take(chunk: Buffer): Buffer {
    return this.#pass(this.#whole.take(chunk))
  }

  /** The last bytes: some servers leave out the empty line behind the last event. */
  finish(): Buffer {
    return this.#pass(this.#whole.finish())
  }

  brokenBy(problem: Problem): Buffer {
    return Buffer.from(`data: ${JSON.stringify(errorBody(problem))}\n\n`)
  }

  #pass(events: Buffer): Buffer {
    if (events.length === 0) return events
    const text = events.toString('latin1')
    const kept: Buffer[] = []
    let from = 0
    let start = 0
    // What stands behind [DONE] belongs to no answer.
    while (start < text.length && !this.done) {
      const end = endOfEvent(text, start)
      const hidden = this.#isHidden(text.slice(start, end), events, start)
      if (this.malformed) break
      if (hidden) {
        if (start > from) kept.push(events.subarray(from, start))
        from = end
      }
      start = end
    }
    const passed = start === text.length ? text : text.slice(0, start)
    this.tally.add(passed)
    if (passed !== '') this.#last = passed
    if (from === 0) return start === events.length ? events : events.subarray(0, start)
    if (start > from) kept.push(events.subarray(from, start))
    return kept.length === 1 && kept[0] ? kept[0] : Buffer.concat(kept)
  }

  /** Looks at one event, which begins at `start` of the bytes, and says whether the client does not get it. */
  #isHidden(event: string, bytes: Buffer, start: number): boolean {
    // Nearly all begin with their data. Comments are passed on unseen; a name, an id or a comment may stand before the data.
    if (event.charCodeAt(0) !== LETTER_D && !hasData(event)) {
      this.malformed = !isEvent(event)
      return false
    }
    if (event.length < DONE_CHARACTERS_MAX && event.includes('[DONE]')) {
      this.done = true
      return false
    }
    if (!looksLikeJson(event)) {
      this.malformed = true
      return false
    }
    if (mayTellError(event) && ERROR_EVENT.test(event)) this.failed = true
    if (this.#hidePromptFilterChunk && event.includes('"prompt_filter_results"')) {
      this.#hidePromptFilterChunk = false
      return hasNoChoices(dataOf(bytes.subarray(start, start + event.length)))
    }
    return holdsUsage(event) && this.#readUsage(bytes.subarray(start, start + event.length))
  }

  #readUsage(event: Buffer): boolean {
    const data = dataOf(event) as { usage?: unknown } | undefined
    const usage = readUsage(data?.usage)
    if (!usage) return false
    this.usage = this.#shape === 'images' ? this.#withImages(usage) : usage
    return !this.#keepUsageChunk && hasNoChoices(data)
  }

  /** The event that completes an image tells its usage; those of its parts tell none. */
  #withImages(usage: TokenUsage): TokenUsage {
    this.#images += 1
    return { ...usage, media: { ...(usage.media ?? noMedia), images: this.#images } }
  }
}

/** Nearly all events begin with `data: {"` and the first letter of another key than `error` and `type`. */
function mayTellError(event: string): boolean {
  if (!event.startsWith(PLAIN_START)) return true
  const letter = event.charCodeAt(PLAIN_START.length)
  return letter === LETTER_E || letter === LETTER_T
}

/** Most chunks say `"usage":null` at their end, so looking from there finds it at once. */
function holdsUsage(event: string): boolean {
  const key = event.lastIndexOf(USAGE_KEY)
  if (key < 0) return false
  const colon = key + USAGE_KEY.length
  return event.charCodeAt(colon + 1) === OPEN_BRACE || event.charCodeAt(colon + 2) === OPEN_BRACE
}

function hasNoChoices(data: unknown): boolean {
  const choices = (data as { choices?: unknown } | undefined)?.choices
  return Array.isArray(choices) && choices.length === 0
}
