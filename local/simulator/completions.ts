import { newAnswerId } from './answer-id'
import { headOf, inputTokensMaxOf, paceOf, promptFilter } from './chat'
import { composeAnswer, type ChatAnswer, type Choice } from './chat-answer'
import type { AnswerHead, ChatUsage } from './chat-body'
import { parseCompletionsRequest, type CompletionsRequest } from './completions-request'
import type { StreamScript } from './chat-stream'
import { answerFilterSafe, completionFilterBlocked, completionFilterSafe, promptFilterChunk } from './content-filter'
import type { Deployment } from './deployment'
import { contextLengthExceeded } from './errors'
import { resetAfterHeaders, sendJson } from './fault-play'
import { mergeHints, type Hints } from './hints'
import { beginCall, refuseWrongModel, type InferenceCall } from './inference-call'
import type { Prompt } from './prompt'
import { mixHash } from './random'
import { StreamPump } from './stream-pump'
import { nowMs } from './ticker-wheel'

/** Serves the older text completions. Throws InvalidRequest for a body that the service would refuse. */
export function serveCompletions(call: InferenceCall): void {
  const { exchange, deployment, resource } = call
  if (refuseWrongModel(call, ['completions'])) return
  const request = parseCompletionsRequest(call.body, deployment)
  exchange.record.stream = request.stream
  const prompts = request.prompts.map((text) => readText(text, request.seed, deployment))
  const longest = Math.max(...prompts.map(({ tokens }) => tokens)) + request.outputTokensMax
  const inputTokensMax = inputTokensMaxOf(deployment)
  if (longest > inputTokensMax) return exchange.refuse(contextLengthExceeded(inputTokensMax, longest, 'prompt'))
  const promptTokens = prompts.reduce((sum, { tokens }) => sum + tokens, 0)
  const hints = prompts.reduce<Hints | undefined>((all, prompt) => mergeHints(all, prompt.hints), undefined)
  const outputTokensMax = request.outputTokensMax * request.tried * prompts.length
  const begun = beginCall(call, { promptTokens, cachedTokens: 0, outputTokensMax }, hints)
  if (begun === undefined) return
  const { headers, fault } = begun
  const filtered = promptFilter(call, hints)
  if (filtered !== undefined) return exchange.json(400, filtered, headers)

  const { seed } = resource.config
  const answers = prompts.map((prompt) => composeAnswer(deployment, { request: answerRequest(request), prompt, seed }))
  const shown = answers.flatMap((answer, index) => shownChoices(answer, request, request.prompts[index] ?? ''))
  const outputTokens = answers.reduce((sum, answer) => sum + answer.outputTokens, 0)
  exchange.record.outputTokens = outputTokens
  const head = headOf(call, newAnswerId('cmpl-'))
  exchange.record.answerId = head.id
  const usage = { promptTokens, cachedTokens: 0, outputTokens, reasoningTokens: 0 }
  const pace = paceOf(deployment, 0, fault)
  if (!request.stream) {
    const send = () =>
      sendJson(exchange, { body: completionsBody(head, shown, usage, prompts.length), headers, fault }, resource.wheel)
    const delayMs = pace.firstTokenMs + outputTokens * pace.tokenMs
    return delayMs === 0 ? send() : resource.wheel.at(nowMs() + delayMs, send)
  }
  if (fault?.fault.kind === 'reset-after-headers') {
    exchange.noteFault(fault, true)
    return resetAfterHeaders(exchange, headers, resource.wheel)
  }
  const withUsage = request.includeUsage && fault?.fault.kind !== 'no-usage'
  const script = completionsScript(head, shown, { usage: withUsage ? usage : undefined, asked: request.includeUsage })
  new StreamPump(exchange, { script, pace, headers, fault }, resource.wheel).start()
}

/** A prompt without roles: nothing frames it, so its tokens are its text's. */
function readText(text: string, seed: number, { tokenizer }: Deployment): Prompt {
  const read = tokenizer.read(text)
  return { tokens: read.tokens.length, hash: mixHash(seed, read.hash), hints: read.hints, boundaries: [] }
}

const answerRequest = ({ outputTokensMax, stops, tried }: CompletionsRequest) => ({
  messages: [],
  choices: tried,
  outputTokensMax,
  stops,
  tools: [],
  toolChoice: { kind: 'none' } as const,
  parallelToolCalls: false,
  format: { kind: 'text' } as const,
  reasoningEffort: undefined,
})

interface ShownChoice {
  readonly pieces: readonly string[]
  readonly finish: Choice['finish']
}

/** The first of those that were tried stand for the best. An echoed prompt comes as one piece, which is not counted. */
function shownChoices(
  { choices }: ChatAnswer,
  { shown, echo, suffix }: CompletionsRequest,
  prompt: string,
): ShownChoice[] {
  return choices.slice(0, shown).map((choice) => {
    const pieces = choice.kind === 'text' ? choice.pieces : []
    return { pieces: [...(echo ? [prompt] : []), ...pieces, ...(suffix === '' ? [] : [suffix])], finish: choice.finish }
  })
}

function completionsBody(head: AnswerHead, shown: readonly ShownChoice[], usage: ChatUsage, prompts: number): string {
  const choices = shown.map(({ pieces, finish }, index) => {
    const blocked = finish === 'content_filter'
    const results = head.annotated ? { content_filter_results: blocked ? blockedResults : safeResults } : {}
    return { text: blocked ? '' : pieces.join(''), index, finish_reason: finish, logprobs: null, ...results }
  })
  const filter = head.annotated ? { prompt_filter_results: promptResults(prompts) } : {}
  const { id, created, model } = head
  return JSON.stringify({ id, object: 'text_completion', created, model, choices, ...filter, usage: usageOf(usage) })
}

const safeResults: unknown = JSON.parse(answerFilterSafe)
const blockedResults: unknown = JSON.parse(completionFilterBlocked)
const promptSafe: unknown = JSON.parse(completionFilterSafe)
const promptResults = (prompts: number) =>
  Array.from({ length: prompts }, (_, prompt_index) => ({ prompt_index, content_filter_results: promptSafe }))

const usageOf = ({ promptTokens, outputTokens }: ChatUsage) => ({
  prompt_tokens: promptTokens,
  completion_tokens: outputTokens,
  total_tokens: promptTokens + outputTokens,
})

/** The sequence of chat's stream, with texts in place of deltas. */
function completionsScript(
  head: AnswerHead,
  shown: readonly ShownChoice[],
  { usage, asked }: { usage: ChatUsage | undefined; asked: boolean },
): StreamScript {
  const nullUsage = asked ? { usage: null } : {}
  const shared = { id: head.id, object: 'text_completion', created: head.created, model: head.model }
  const chunk = (index: number, text: string, finish_reason: string | null) => {
    const results = finish_reason === 'content_filter' ? blockedResults : promptSafe
    const annotated = head.annotated ? { content_filter_results: results } : {}
    const choice = { text, index, finish_reason, logprobs: null, ...annotated }
    return `data: ${JSON.stringify({ ...shared, choices: [choice], ...nullUsage })}\n\n`
  }
  const usageChunk = usage && `data: ${JSON.stringify({ ...shared, choices: [], usage: usageOf(usage) })}\n\n`
  return {
    head: head.annotated ? promptFilterChunk(asked ? ',"usage":null' : '') : '',
    steps: shown.reduce((longest, { pieces }) => Math.max(longest, pieces.length), 0),
    step: (at) => shown.map(({ pieces }, index) => (pieces[at] ? chunk(index, pieces[at], null) : '')).join(''),
    tokens: (at) => shown.filter(({ pieces }) => at < pieces.length).length,
    tail: shown.map(({ finish }, index) => chunk(index, '', finish)).join('') + (usageChunk ?? ''),
  }
}
