import type { AnswerRequest, ChatTool } from './chat-request'
import type { Deployment } from './deployment'
import { generateText, vocabularyOf } from './generate-text'
import { jsonFromSchema, UnusableSchema } from './json-from-schema'
import type { Prompt } from './prompt'
import { hashText, mixHash, seededRandom, wholeBetween, type Random } from './random'
import { learnedAnswer } from './learned-answer'
import { InvalidRequest } from './request-fields'
import { invalidRequest } from './errors'
import { UnusablePattern } from './string-from-pattern'
import type { Tokenizer } from './tokens'

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

export interface ToolCall {
  readonly id: string
  readonly name: string
  readonly nameTokens: number
  /** The arguments' JSON, one string per token. */
  readonly pieces: readonly string[]
}

/** One choice of the answer, already cut to what the caller allowed. */
export type Choice =
  | { readonly kind: 'text'; readonly pieces: readonly string[]; readonly finish: FinishReason }
  | { readonly kind: 'calls'; readonly calls: readonly ToolCall[]; readonly finish: FinishReason }

export interface ChatAnswer {
  readonly choices: readonly Choice[]
  readonly reasoningTokens: number
  /** Reasoning and all choices. */
  readonly outputTokens: number
}

/** Reasoning tokens by effort; the service too counts in steps of 64. */
const reasoningTokensByEffort = {
  none: 0,
  minimal: 0,
  low: 64,
  medium: 192,
  high: 512,
  xhigh: 1_024,
  max: 2_048,
} as const

/** What the model says: a pure function of the configuration's seed, the prompt and the request. */
export function composeAnswer(
  deployment: Deployment,
  call: { request: AnswerRequest; prompt: Prompt; seed: number },
): ChatAnswer {
  const { request, prompt } = call
  const limit = request.outputTokensMax ?? deployment.facts.outputTokensMax
  const reasoningTokens = Math.min(limit, reasoningTokensOf(deployment, request, prompt))
  const choices: Choice[] = []
  for (let index = 0; index < request.choices; index++) {
    const seed = mixHash(mixHash(call.seed, prompt.hash), index)
    choices.push(composeChoice(deployment, { ...call, seed, limit: limit - reasoningTokens }))
  }
  const visible = choices.reduce((sum, choice) => sum + choiceTokens(choice), 0)
  return { choices, reasoningTokens, outputTokens: reasoningTokens + visible }
}

export function choiceTokens(choice: Choice): number {
  if (choice.kind === 'text') return choice.pieces.length
  return choice.calls.reduce((sum, call) => sum + call.nameTokens + call.pieces.length, 0)
}

interface ChoiceCall {
  readonly request: AnswerRequest
  readonly prompt: Prompt
  readonly seed: number
  /** Tokens left for this choice. */
  readonly limit: number
}

function composeChoice(deployment: Deployment, call: ChoiceCall): Choice {
  const random = seededRandom(call.seed)
  const learned = learnedAnswer(deployment, call.request, call.prompt.hints)
  if (learned?.kind === 'calls') return composeCalls(deployment.tokenizer, call, argumentsOf(learned.calls))
  const tools = learned === undefined ? chooseTools(call.request) : []
  if (tools.length > 0) return composeCalls(deployment.tokenizer, call, drawnArguments(tools, random))
  const text = learned ? deployment.tokenizer.pieces(learned.text) : composeText(deployment, call, random)
  const stopped = atStop(deployment.tokenizer, text, call.request.stops)
  if (call.prompt.hints?.filter === 'completion' && deployment.config.contentFilter !== 'off') {
    // The filter acts in the middle of the text; what came before it is generated and charged.
    const kept = Math.min(call.limit, Math.ceil(stopped.length / 2))
    return { kind: 'text', pieces: stopped.slice(0, kept), finish: 'content_filter' }
  }
  if (stopped.length <= call.limit) return { kind: 'text', pieces: stopped, finish: 'stop' }
  return { kind: 'text', pieces: stopped.slice(0, call.limit), finish: 'length' }
}

function composeText(deployment: Deployment, call: ChoiceCall, random: Random): string[] {
  const { tokenizer, config } = deployment
  const { hints } = call.prompt
  if (hints?.echo !== undefined) return tokenizer.pieces(hints.echo)
  if (call.request.format.kind !== 'text') return tokenizer.pieces(composeJson(call, random))
  const tokens = hints?.tokens ?? wholeBetween(random, config.output.tokensMin, config.output.tokensMax)
  return generateText(vocabularyOf(tokenizer), call.seed, tokens)
}

function composeJson({ request }: ChoiceCall, random: Random): string {
  const { format } = request
  const schema =
    format.kind === 'json-schema'
      ? format.schema
      : { type: 'object', properties: { answer: { type: 'string', minLength: 24 } }, required: ['answer'] }
  return JSON.stringify(orRefuse(() => jsonFromSchema(schema, random), 'response_format'))
}

/** A schema that cannot be met is the caller's mistake; the service says so before it generates. */
function orRefuse(make: () => unknown, param: string): unknown {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof UnusableSchema || error instanceof UnusablePattern)) throw error
    const message = `Invalid schema for ${param}: ${error.message}.`
    throw new InvalidRequest(invalidRequest(message, { param, code: 'invalid_json_schema' }))
  }
}

/** The text up to its first stop sequence, tokenized anew because the cut may fall inside a token. */
function atStop(tokenizer: Tokenizer, pieces: string[], stops: readonly string[]): string[] {
  if (stops.length === 0) return pieces
  const text = pieces.join('')
  let end = text.length
  for (const stop of stops) {
    const at = text.indexOf(stop)
    if (at >= 0 && at < end) end = at
  }
  return end === text.length ? pieces : tokenizer.pieces(text.slice(0, end))
}

/**
 * The tools that the model decides to call: the one that is named, one when any is required, and under `auto` those
 * whose name the last message mentions, if a user wrote it.
 */
function chooseTools({ tools, toolChoice, messages, parallelToolCalls }: AnswerRequest): readonly ChatTool[] {
  if (toolChoice.kind === 'none') return []
  if (toolChoice.kind === 'function') return tools.filter(({ name }) => name === toolChoice.name).slice(0, 1)
  const last = messages.at(-1)
  const mentioned =
    last?.role === 'user' ? tools.filter(({ name }) => last.texts.some((text) => text.includes(name))) : []
  if (mentioned.length > 0) return parallelToolCalls ? mentioned : mentioned.slice(0, 1)
  return toolChoice.kind === 'required' ? tools.slice(0, 1) : []
}

type Arguments = readonly { readonly name: string; readonly text: () => string }[]

const drawnArguments = (tools: readonly ChatTool[], random: Random): Arguments =>
  tools.map(({ name, parameters }) => ({
    name,
    text: () => JSON.stringify(orRefuse(() => jsonFromSchema(parameters, random), 'tools')),
  }))

const argumentsOf = (calls: readonly { readonly name: string; readonly arguments: string }[]): Arguments =>
  calls.map((call) => ({ name: call.name, text: () => call.arguments }))

function composeCalls(tokenizer: Tokenizer, { request, seed, limit }: ChoiceCall, asked: Arguments): Choice {
  const calls: ToolCall[] = []
  let left = limit
  let cut = false
  for (const [index, { name, text }] of asked.entries()) {
    const all = tokenizer.pieces(text())
    const nameTokens = tokenizer.count(name)
    if (nameTokens > left) {
      cut = true
      break
    }
    const pieces = all.slice(0, left - nameTokens)
    calls.push({ id: callId(seed, index), name, nameTokens, pieces })
    left -= nameTokens + pieces.length
    cut = pieces.length < all.length
    if (cut) break
  }
  // A call that the caller has forced ends as `stop`: the model did not choose to call. Source: OpenAI's function guide.
  const finish = cut ? 'length' : request.toolChoice.kind === 'function' ? 'stop' : 'tool_calls'
  return calls.length === 0 ? { kind: 'text', pieces: [], finish } : { kind: 'calls', calls, finish }
}

function callId(seed: number, index: number): string {
  const parts = [0, 1, 2].map((part) => hashText(`${seed} ${index} ${part}`).toString(16).padStart(8, '0'))
  return `call_${parts.join('')}`
}

function reasoningTokensOf({ facts }: Deployment, { reasoningEffort }: AnswerRequest, { hints }: Prompt): number {
  if (facts.kind !== 'reasoning') return 0
  if (hints?.reasoningTokens !== undefined) return hints.reasoningTokens
  return reasoningTokensByEffort[reasoningEffort ?? (facts.reasonsByDefault ? 'medium' : 'none')]
}
