import { newHexId } from '../answer-id'
import type { ChatAnswer, Choice } from '../chat-answer'
import { answerFilterSafe, completionFilterBlocked, promptFilterSafe } from '../content-filter'
import type { JsonObject } from '../json-value'
import type { EventLog } from './event-log'

export type ResponseState =
  | { readonly kind: 'queued' | 'in_progress' | 'completed' | 'cancelled' }
  | { readonly kind: 'incomplete'; readonly reason: 'max_output_tokens' | 'content_filter' }
  | { readonly kind: 'failed'; readonly error: { readonly code: string; readonly message: string } }

/** What a response repeats of its request, and what the model made of it. */
export interface ResponseParts {
  readonly body: JsonObject
  readonly model: string
  readonly items: readonly JsonObject[]
  readonly answer: ChatAnswer
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly background: boolean
  readonly store: boolean
  /** With Azure's annotations. */
  readonly annotated: boolean
}

/** One response from its creation on, as its own address shows it. */
export class ResponseRun {
  readonly id = newHexId('resp_', 50)
  readonly parts: ResponseParts
  /** What was said, as items; seen by others once the response is done. */
  readonly output: readonly JsonObject[]
  /** The events of a response that streams in the background, for those who come back for them. */
  log: EventLog | undefined
  readonly #createdAt = Math.floor(Date.now() / 1_000)
  #state: ResponseState
  #onCancel: (() => void) | undefined

  constructor(parts: ResponseParts) {
    this.parts = parts
    this.output = outputItems(parts.answer)
    this.#state = { kind: parts.background ? 'queued' : 'in_progress' }
  }

  get state(): ResponseState {
    return this.#state
  }

  get status(): ResponseState['kind'] {
    return this.#state.kind
  }

  get isOver(): boolean {
    return this.#state.kind !== 'queued' && this.#state.kind !== 'in_progress'
  }

  begin(): void {
    if (this.#state.kind === 'queued') this.#state = { kind: 'in_progress' }
  }

  /** Done as the answer ended: whole, at its length, or by the filter. */
  finish(): void {
    if (!this.isOver) this.#state = endOf(this.parts.answer.choices[0])
  }

  fail(error: { code: string; message: string }): void {
    if (!this.isOver) this.#state = { kind: 'failed', error }
  }

  /** Idempotent, as the service's is. */
  cancel(): void {
    if (this.isOver) return
    this.#state = { kind: 'cancelled' }
    this.#onCancel?.()
  }

  onCancel(run: () => void): void {
    this.#onCancel = run
  }

  /** The response object, with the fields in the order of the service's. */
  object(): JsonObject {
    const { body, model, background, store } = this.parts
    const state = this.#state
    const given = (name: string, other: unknown) => body[name] ?? other
    const isDone = state.kind === 'completed' || state.kind === 'incomplete'
    return {
      id: this.id,
      object: 'response',
      created_at: this.#createdAt,
      status: state.kind,
      background,
      error: state.kind === 'failed' ? state.error : null,
      incomplete_details: state.kind === 'incomplete' ? { reason: state.reason } : null,
      instructions: given('instructions', null),
      max_output_tokens: given('max_output_tokens', null),
      max_tool_calls: given('max_tool_calls', null),
      model,
      output: isDone ? this.output : [],
      parallel_tool_calls: given('parallel_tool_calls', true),
      previous_response_id: given('previous_response_id', null),
      prompt_cache_key: given('prompt_cache_key', null),
      reasoning: { effort: null, summary: null, ...(body['reasoning'] as JsonObject | null | undefined) },
      safety_identifier: given('safety_identifier', null),
      service_tier: 'default',
      store,
      temperature: given('temperature', 1),
      text: { format: { type: 'text' }, verbosity: 'medium', ...(body['text'] as JsonObject | null | undefined) },
      tool_choice: given('tool_choice', 'auto'),
      tools: given('tools', []),
      top_logprobs: given('top_logprobs', 0),
      top_p: given('top_p', 1),
      truncation: given('truncation', 'disabled'),
      usage: isDone ? this.#usage() : null,
      user: given('user', null),
      metadata: given('metadata', {}),
      ...(this.parts.annotated ? { content_filters: isDone ? contentFilters(state) : null } : {}),
    }
  }

  #usage(): JsonObject {
    const { promptTokens, cachedTokens, answer } = this.parts
    return {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: cachedTokens },
      output_tokens: answer.outputTokens,
      output_tokens_details: { reasoning_tokens: answer.reasoningTokens },
      total_tokens: promptTokens + answer.outputTokens,
    }
  }
}

function endOf(choice: Choice | undefined): ResponseState {
  if (choice?.finish === 'length') return { kind: 'incomplete', reason: 'max_output_tokens' }
  if (choice?.finish === 'content_filter') return { kind: 'incomplete', reason: 'content_filter' }
  return { kind: 'completed' }
}

/** The thoughts as an item without a summary, then a message or calls. */
function outputItems({ choices, reasoningTokens }: ChatAnswer): JsonObject[] {
  const thoughts = reasoningTokens > 0 ? [{ id: newHexId('rs_'), type: 'reasoning', summary: [] }] : []
  const [choice] = choices
  if (choice === undefined) return thoughts
  const status = choice.finish === 'length' || choice.finish === 'content_filter' ? 'incomplete' : 'completed'
  if (choice.kind === 'text') {
    const content = [{ type: 'output_text', text: choice.pieces.join(''), annotations: [], logprobs: [] }]
    return [...thoughts, { id: newHexId('msg_'), type: 'message', status, role: 'assistant', content }]
  }
  const calls = choice.calls.map(({ id, name, pieces }) => ({
    id: newHexId('fc_'),
    type: 'function_call',
    status,
    arguments: pieces.join(''),
    call_id: id,
    name,
  }))
  return [...thoughts, ...calls]
}

/** Azure's own field; its inner shape is of answers seen, since no page describes it. */
function contentFilters(state: ResponseState): JsonObject[] {
  const blocked = state.kind === 'incomplete' && state.reason === 'content_filter'
  return [
    { blocked: false, source_type: 'prompt', content_filter_results: JSON.parse(promptFilterSafe) as unknown },
    {
      blocked,
      source_type: 'completion',
      content_filter_results: JSON.parse(blocked ? completionFilterBlocked : answerFilterSafe) as unknown,
    },
  ]
}
