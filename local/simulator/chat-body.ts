import type { ChatAnswer, Choice } from './chat-answer'
import { answerFilterSafe, completionFilterBlocked, promptFilterResults } from './content-filter'

/** What every part of one answer repeats. */
export interface AnswerHead {
  readonly id: string
  /** Unix seconds. */
  readonly created: number
  /** The model version, never the deployment's name. */
  readonly model: string
  readonly systemFingerprint: string
  /** Azure's annotations; false on a compatible endpoint and where the filter is off. */
  readonly annotated: boolean
}

export interface ChatUsage {
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  readonly reasoningTokens: number
}

/** The usage object of chat answers. */
export function usageJson(usage: ChatUsage): string {
  return (
    `{"prompt_tokens":${usage.promptTokens},"completion_tokens":${usage.outputTokens},"total_tokens":${usage.promptTokens + usage.outputTokens},` +
    `"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":${usage.cachedTokens}},` +
    `"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":${usage.reasoningTokens},"rejected_prediction_tokens":0}}`
  )
}

/** The body of an answer in one piece, put together from fragments: this is the hot path of benchmarks. */
export function chatBody(head: AnswerHead, answer: ChatAnswer, usage: ChatUsage): string {
  const choices = answer.choices.map((choice, index) => choiceJson(head, choice, index)).join(',')
  const prompt = head.annotated ? `,"prompt_filter_results":${promptFilterResults}` : ''
  return (
    `{"id":"${head.id}","object":"chat.completion","created":${head.created},"model":${JSON.stringify(head.model)},"service_tier":"default",` +
    `"system_fingerprint":"${head.systemFingerprint}","choices":[${choices}]${prompt},"usage":${usageJson(usage)}}`
  )
}

function choiceJson(head: AnswerHead, choice: Choice, index: number): string {
  const blocked = choice.finish === 'content_filter'
  const results = head.annotated
    ? `,"content_filter_results":${blocked ? completionFilterBlocked : answerFilterSafe}`
    : ''
  return `{"index":${index},"finish_reason":"${choice.finish}","logprobs":null,"message":${messageJson(choice)}${results}}`
}

function messageJson(choice: Choice): string {
  if (choice.kind === 'text') {
    // A filtered text is withheld whole when the answer comes in one piece.
    const content = choice.finish === 'content_filter' ? '""' : JSON.stringify(choice.pieces.join(''))
    return `{"role":"assistant","content":${content},"refusal":null,"annotations":[]}`
  }
  const calls = choice.calls.map(({ id, name, pieces }) => ({
    id,
    type: 'function',
    function: { name, arguments: pieces.join('') },
  }))
  return `{"role":"assistant","content":null,"refusal":null,"annotations":[],"tool_calls":${JSON.stringify(calls)}}`
}
