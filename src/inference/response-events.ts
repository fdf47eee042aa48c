import type { Problem } from '../base/problem'
import type { TokenUsage } from '../metering/usage-record'
import { isOverStatus, type Renaming } from './binding'
import type { EventPass } from './event-pass'
import { readMadeResponse, renamedText, type MadeResponse } from './made-response'
import { dataOf, endOfEvent, hasData, isEvent, looksLikeJson, WholeEvents } from './sse'
import { TextTally } from './text-tally'

/** The event that ends a response repeats all of it, with the images that it drew. */
const EVENT_BYTES_MAX = 32 * 1024 * 1024
/** May stand in a tool's schema, which `response.created` repeats: the event that has it is parsed before it is believed. */
const MAY_END = /"type": ?"(?:response\.(?:completed|incomplete|failed|cancelled)|error)"/
const HAS_RESPONSE = /"response": ?\{/
const SEQUENCE = /"sequence_number": ?(\d{1,12})/g

export interface ResponseEventsOptions {
  /** Of ids that the events may show, besides the response's own. */
  readonly renames: readonly Renaming[]
  /** Under which id the client knows the response. */
  readonly ourId: string
  /** Called once, before any byte of it is passed on. */
  readonly onBegun?: (made: MadeResponse) => void
  /** Called once, before the event that tells it is passed on. */
  readonly onEnded?: (made: MadeResponse) => void
}

/**
 * The events of a response (OpenAI's `ResponseStreamEvent`; there is no `[DONE]`). A delta is neither parsed nor looked into; the
 * first event that has the response is, for its id, and the one that ends it, for its usage. Ids are replaced in the bytes.
 */
export class ResponseEvents implements EventPass {
  usage: TokenUsage | undefined
  done = false
  failed = false
  malformed = false
  readonly tally = new TextTally('responses')
  readonly #options: ResponseEventsOptions
  readonly #whole = new WholeEvents(EVENT_BYTES_MAX)
  #renames: readonly Renaming[]
  #begun: MadeResponse | undefined
  #last = ''

  constructor(options: ResponseEventsOptions) {
    this.#options = options
    this.#renames = options.renames
  }

  get finished(): boolean {
    return this.done
  }

  take(chunk: Buffer): Buffer {
    return this.#pass(this.#whole.take(chunk))
  }

  finish(): Buffer {
    return this.#pass(this.#whole.finish())
  }

  /** With the number that comes next, so that clients which count see no gap. */
  brokenBy(problem: Problem): Buffer {
    const last = [...this.#last.matchAll(SEQUENCE)].at(-1)?.[1]
    const response = {
      id: this.#options.ourId,
      object: 'response',
      created_at: this.#begun?.createdAt ?? 0,
      status: 'failed',
      error: { code: 'server_error', message: problem.public },
      incomplete_details: null,
      model: this.#begun?.model ?? '',
      output: [],
      usage: null,
    }
    const data = { type: 'response.failed', sequence_number: last === undefined ? 0 : Number(last) + 1, response }
    return Buffer.from(`event: response.failed\ndata: ${JSON.stringify(data)}\n\n`)
  }

  #pass(events: Buffer): Buffer {
    if (events.length === 0) return events
    const text = events.toString('latin1')
    let start = 0
    while (start < text.length && !this.done) {
      const end = endOfEvent(text, start)
      this.#look(text.slice(start, end), () => events.subarray(start, end))
      if (this.malformed) break
      start = end
    }
    const passed = start === text.length ? text : text.slice(0, start)
    this.tally.add(passed)
    if (passed.includes('"sequence_number"')) this.#last = passed
    const shown = renamedText(passed, this.#renames)
    if (shown !== passed) return Buffer.from(shown, 'latin1')
    return start === events.length ? events : events.subarray(0, start)
  }

  #look(event: string, bytes: () => Buffer): void {
    // Comments are passed on unseen.
    if (!hasData(event)) {
      this.malformed = !isEvent(event)
      return
    }
    if (!looksLikeJson(event)) {
      this.malformed = true
      return
    }
    if (!this.#begun && HAS_RESPONSE.test(event)) this.#begin(readMadeResponse(fieldsOf(dataOf(bytes())).response))
    if (MAY_END.test(event)) this.#end(fieldsOf(dataOf(bytes())))
  }

  #begin(made: MadeResponse | undefined): void {
    if (!made) return
    this.#begun = made
    this.#renames = [...this.#renames, { upstreamId: made.upstreamId, ourId: this.#options.ourId }]
    this.#options.onBegun?.(made)
  }

  #end({ type, response }: EventFields): void {
    if (type === 'error') this.failed = true
    const made = type !== 'error' && ENDS.has(String(type)) ? readMadeResponse(response) : undefined
    if (!made || !isOverStatus(made.status)) return
    this.usage = made.usage
    this.failed = made.status === 'failed'
    this.done = true
    this.#options.onEnded?.(made)
  }
}

const ENDS: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
])

interface EventFields {
  readonly type?: unknown
  readonly response?: unknown
}

const fieldsOf = (data: unknown): EventFields => (typeof data === 'object' && data !== null ? data : {})
