import type { ChatAnswer, Choice } from './chat-answer'
import { usageJson, type AnswerHead, type ChatUsage } from './chat-body'
import {
  ASYNCHRONOUS_FILTER_STEP_TOKENS,
  asynchronousFilterChunk,
  completionFilterBlocked,
  completionFilterSafe,
  promptFilterChunk,
} from './content-filter'

/** A stream as text, made step by step: a step is one token of each choice. */
export interface StreamScript {
  /** Events before the first token, sent with it unless they are early. */
  readonly head: string
  readonly early?: boolean
  readonly steps: number
  /** The events of a step. Called once for each, in order. */
  step(index: number): string
  /** Visible output tokens in a step. */
  tokens(index: number): number
  /** Finish reasons and, where asked for, usage. */
  readonly tail: string
  /** What comes after the tail; `[DONE]` when absent. */
  readonly done?: string
  /** The event of a stream that breaks after so many steps; null where the stream has no words for it and is cut. */
  readonly error?: ((steps: number) => string) | null
  /** The only event of a stream in which the deployment says that it is full. */
  readonly throttled?: () => string
  /** Server-sent events in UTF-8 when absent. */
  readonly form?: { readonly type: string; readonly encoding: BufferEncoding }
}

export const DONE = 'data: [DONE]\n\n'

export interface StreamOptions {
  readonly includeUsage: boolean
  /** The fault `no-usage`: usage was asked for, so the other chunks say null, but it never comes. */
  readonly withholdUsage: boolean
  readonly filterMode: 'default' | 'asynchronous'
}

/** The exact sequence of Azure's chat stream; without annotations, OpenAI's. */
export function chatScript(
  head: AnswerHead,
  answer: ChatAnswer,
  usage: ChatUsage,
  options: StreamOptions,
): StreamScript {
  const nullUsage = options.includeUsage ? ',"usage":null' : ''
  const chunks = new ChunkWriter(head, nullUsage, head.annotated && options.filterMode === 'asynchronous')
  const writers = answer.choices.map((choice, index) => choiceWriter(chunks, choice, index))
  const roles = answer.choices.map((choice, index) => chunks.role(index, choice.kind === 'text'))
  const withUsage = options.includeUsage && !options.withholdUsage
  return {
    head: (head.annotated ? promptFilterChunk(nullUsage) : '') + roles.join(''),
    steps: writers.reduce((longest, { steps }) => Math.max(longest, steps), 0),
    step: (index) => writers.map((writer) => writer.step(index)).join(''),
    tokens: (index) => writers.reduce((sum, writer) => sum + writer.tokens(index), 0),
    tail:
      answer.choices.map((choice, index) => chunks.finish(index, choice.finish)).join('') +
      (withUsage ? chunks.usage(usage) : ''),
  }
}

/** Writes the chunks of one answer; the part that they share is put together once. */
class ChunkWriter {
  readonly annotated: boolean
  readonly asynchronous: boolean
  readonly nullUsage: string
  readonly #shared: string
  readonly #after: string

  constructor(head: AnswerHead, nullUsage: string, asynchronous: boolean) {
    this.annotated = head.annotated
    this.asynchronous = asynchronous
    this.nullUsage = nullUsage
    this.#shared = `"created":${head.created},"id":"${head.id}","model":${JSON.stringify(head.model)},"object":"chat.completion.chunk","system_fingerprint":"${head.systemFingerprint}"`
    this.#after = `,"logprobs":null}],${this.#shared}${nullUsage}}\n\n`
  }

  role(index: number, text: boolean): string {
    return this.#chunk(index, `{"content":${text ? '""' : 'null'},"refusal":null,"role":"assistant"}`, '{}')
  }

  content(index: number, piece: string): string {
    return this.#chunk(index, `{"content":${JSON.stringify(piece)}}`, completionFilterSafe)
  }

  callStart(index: number, call: { place: number; id: string; name: string }): string {
    const started = { index: call.place, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }
    return this.#chunk(index, `{"tool_calls":[${JSON.stringify(started)}]}`, '{}')
  }

  callArguments(index: number, place: number, piece: string): string {
    const delta = `{"tool_calls":[{"index":${place},"function":{"arguments":${JSON.stringify(piece)}}}]}`
    return this.#chunk(index, delta, '{}')
  }

  finish(index: number, reason: string): string {
    const blocked = reason === 'content_filter'
    return this.#chunk(index, '{}', blocked ? completionFilterBlocked : '{}', `"${reason}"`)
  }

  usage(usage: ChatUsage): string {
    return `data: {"choices":[],${this.#shared},"usage":${usageJson(usage)}}\n\n`
  }

  #chunk(index: number, delta: string, results: string, finish = 'null'): string {
    // The asynchronous filter sends tokens at once and speaks of them later, in messages of its own.
    const annotation = this.annotated && !this.asynchronous ? `"content_filter_results":${results},` : ''
    return `data: {"choices":[{${annotation}"delta":${delta},"finish_reason":${finish},"index":${index}${this.#after}`
  }
}

interface ChoiceWriter {
  readonly steps: number
  step(index: number): string
  tokens(index: number): number
}

function choiceWriter(chunks: ChunkWriter, choice: Choice, index: number): ChoiceWriter {
  if (choice.kind === 'calls') return callsWriter(chunks, choice, index)
  const { pieces } = choice
  const steps = pieces.length
  const annotate = chunks.asynchronous ? asynchronousAnnotations(chunks, choice, index) : undefined
  return {
    steps,
    step: (at) => {
      const piece = pieces[at]
      if (piece === undefined) return ''
      // A token that ends inside a character has no text of its own yet.
      return (piece === '' ? '' : chunks.content(index, piece)) + (annotate?.(at, piece) ?? '')
    },
    tokens: (at) => (at < steps ? 1 : 0),
  }
}

/** Annotation messages after every so many tokens and after the last; on a blocked text the last one says so. */
function asynchronousAnnotations(chunks: ChunkWriter, choice: Choice & { kind: 'text' }, index: number) {
  let start = 0
  let end = 0
  return (at: number, piece: string): string => {
    end += piece.length
    const last = at === choice.pieces.length - 1
    if (!last && (at + 1) % ASYNCHRONOUS_FILTER_STEP_TOKENS !== 0) return ''
    const offsets = { start, end }
    start = end
    return asynchronousFilterChunk(index, offsets, last && choice.finish === 'content_filter', chunks.nullUsage)
  }
}

function callsWriter(chunks: ChunkWriter, choice: Choice & { kind: 'calls' }, index: number): ChoiceWriter {
  const steps: { text: () => string; tokens: number }[] = []
  for (const [place, { id, name, nameTokens, pieces }] of choice.calls.entries()) {
    steps.push({ text: () => chunks.callStart(index, { place, id, name }), tokens: nameTokens })
    for (const piece of pieces) steps.push({ text: () => chunks.callArguments(index, place, piece), tokens: 1 })
  }
  return {
    steps: steps.length,
    step: (at) => steps[at]?.text() ?? '',
    tokens: (at) => steps[at]?.tokens ?? 0,
  }
}
