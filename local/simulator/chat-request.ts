import { unsupportedParameter } from './errors'
import { isJsonObject, type JsonObject } from './json-value'
import type { ModelFacts } from './model-catalogue'
import {
  InvalidRequest,
  readBoolean,
  readChoice,
  readList,
  readNumber,
  refuse,
  refuseType,
  requireField,
} from './request-fields'

export interface ChatMessage {
  readonly role: string
  readonly name: string | undefined
  /** The content's texts, and what an assistant's earlier tool calls said. */
  readonly texts: readonly string[]
  readonly images: number
}

export interface ChatTool {
  readonly name: string
  readonly parameters: unknown
}

export type ToolChoice =
  { readonly kind: 'auto' | 'none' | 'required' } | { readonly kind: 'function'; readonly name: string }

export type AnswerFormat =
  { readonly kind: 'text' | 'json-object' } | { readonly kind: 'json-schema'; readonly schema: unknown }

export interface ChatRequest {
  readonly messages: readonly ChatMessage[]
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly choices: number
  /** Undefined when the caller set none. */
  readonly outputTokensMax: number | undefined
  readonly stops: readonly string[]
  readonly tools: readonly ChatTool[]
  /** The tools as they came, which is what the model is charged for reading. */
  readonly toolsText: string
  readonly toolChoice: ToolChoice
  readonly parallelToolCalls: boolean
  readonly format: AnswerFormat
  readonly reasoningEffort: ReasoningEffort | undefined
  readonly seed: number
}

/** What an answer is composed from. */
export type AnswerRequest = Omit<ChatRequest, 'stream' | 'includeUsage' | 'toolsText' | 'seed'>

const MESSAGES_MAX = 2_048
const TOOLS_MAX = 128
const CHOICES_MAX = 128
const STOPS_MAX = 4
const roles = ['system', 'assistant', 'user', 'function', 'tool', 'developer'] as const
export const reasoningEfforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
export type ReasoningEffort = (typeof reasoningEfforts)[number]

/** What reasoning models refuse, and what to use instead. */
const refusedByReasoning: readonly (readonly [string, string?])[] = [
  ['max_tokens', 'max_completion_tokens'],
  ['temperature'],
  ['top_p'],
  ['presence_penalty'],
  ['frequency_penalty'],
  ['logprobs'],
  ['top_logprobs'],
  ['logit_bias'],
]

/** Reads a chat body as the service's validation does. Throws InvalidRequest with the body to answer. */
export function parseChatRequest(body: JsonObject, facts: ModelFacts): ChatRequest {
  requireField(body['messages'], 'messages')
  const messages = readList(body['messages'], 'messages', 'objects', MESSAGES_MAX).map(readMessage)
  if (facts.kind === 'reasoning') refuseUnsupported(body)
  checkSampling(body)
  const tools = readTools(body['tools'])
  const stream = readBoolean(body['stream'], 'stream') ?? false
  const format = readFormat(body['response_format'])
  if (format.kind === 'json-object') requireWordJson(messages)
  return {
    messages,
    stream,
    includeUsage: readIncludeUsage(body['stream_options'], stream),
    choices: readNumber(body['n'], 'n', { whole: true, min: 1, max: CHOICES_MAX }) ?? 1,
    outputTokensMax: readOutputTokensMax(body, facts),
    stops: readStops(body['stop']),
    tools,
    toolsText: tools.length === 0 ? '' : JSON.stringify(body['tools']),
    toolChoice: readToolChoice(body['tool_choice'], tools),
    parallelToolCalls: readBoolean(body['parallel_tool_calls'], 'parallel_tool_calls') ?? true,
    format,
    reasoningEffort: readEffort(body['reasoning_effort'], facts),
    seed:
      readNumber(body['seed'], 'seed', { whole: true, min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }) ??
      0,
  }
}

function readMessage(value: unknown, index: number): ChatMessage {
  const param = `messages[${index}]`
  if (!isJsonObject(value)) return refuseType(param, 'an object', value)
  requireField(value['role'], `${param}.role`)
  const role = readChoice(value['role'], `${param}.role`, roles)
  const texts: string[] = []
  const calls = value['tool_calls']
  const images = readContent(value['content'], `${param}.content`, texts, role === 'assistant')
  if (Array.isArray(calls)) readEarlierCalls(calls, texts)
  const { name } = value
  return { role, name: typeof name === 'string' ? name : undefined, texts, images }
}

/** Adds the content's texts to `texts`; returns how many images stand beside them. */
function readContent(content: unknown, param: string, texts: string[], mayBeNull: boolean): number {
  if (typeof content === 'string') {
    texts.push(content)
    return 0
  }
  if (content === undefined || content === null) {
    if (!mayBeNull) refuse(`Invalid value for 'content': expected a string, got null.`, param, null)
    return 0
  }
  if (!Array.isArray(content)) return refuseType(param, 'one of a string or array of objects', content)
  let images = 0
  for (const [index, part] of content.entries()) {
    if (!isJsonObject(part)) return refuseType(`${param}[${index}]`, 'an object', part)
    const { type } = part
    if (type === 'image_url' || type === 'image') images++
    const text = type === 'refusal' ? part['refusal'] : part['text']
    if (typeof text === 'string') texts.push(text)
    else if (type === 'text') requireField(part['text'], `${param}[${index}].text`)
  }
  return images
}

function readEarlierCalls(calls: readonly unknown[], texts: string[]): void {
  for (const call of calls) {
    const called = isJsonObject(call) ? call['function'] : undefined
    if (!isJsonObject(called)) continue
    if (typeof called['name'] === 'string') texts.push(called['name'])
    if (typeof called['arguments'] === 'string') texts.push(called['arguments'])
  }
}

function refuseUnsupported(body: JsonObject): void {
  for (const [param, instead] of refusedByReasoning) {
    if (body[param] !== undefined && body[param] !== null) {
      throw new InvalidRequest(unsupportedParameter(param, instead))
    }
  }
}

export function checkSampling(body: JsonObject): void {
  readNumber(body['temperature'], 'temperature', { whole: false, min: 0, max: 2 })
  readNumber(body['top_p'], 'top_p', { whole: false, min: 0, max: 1 })
  readNumber(body['presence_penalty'], 'presence_penalty', { whole: false, min: -2, max: 2 })
  readNumber(body['frequency_penalty'], 'frequency_penalty', { whole: false, min: -2, max: 2 })
  readNumber(body['top_logprobs'], 'top_logprobs', { whole: true, min: 0, max: 20 })
}

function readOutputTokensMax(body: JsonObject, facts: ModelFacts): number | undefined {
  const bounds = { whole: true, min: 1, max: Number.MAX_SAFE_INTEGER }
  const older = readNumber(body['max_tokens'], 'max_tokens', bounds)
  const newer = readNumber(body['max_completion_tokens'], 'max_completion_tokens', bounds)
  const asked = newer ?? older
  if (asked !== undefined && asked > facts.outputTokensMax) {
    const param = newer === undefined ? 'max_tokens' : 'max_completion_tokens'
    const text = `${param} is too large: ${asked}. This model supports at most ${facts.outputTokensMax} completion tokens, whereas you provided ${asked}.`
    refuse(text, param, 'invalid_value')
  }
  return asked
}

export function readStops(value: unknown): readonly string[] {
  if (value === undefined || value === null) return []
  if (typeof value === 'string') return value === '' ? [] : [value]
  const stops = readList(value, 'stop', 'strings', STOPS_MAX)
  return stops.map((stop, index) => (typeof stop === 'string' ? stop : refuseType(`stop[${index}]`, 'a string', stop)))
}

export function readIncludeUsage(options: unknown, stream: boolean): boolean {
  if (options === undefined || options === null) return false
  if (!isJsonObject(options)) return refuseType('stream_options', 'an object', options)
  if (!stream) {
    const text = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    refuse(text, 'stream_options', null)
  }
  return readBoolean(options['include_usage'], 'stream_options.include_usage') ?? false
}

function readTools(value: unknown): readonly ChatTool[] {
  if (value === undefined || value === null) return []
  return readList(value, 'tools', 'objects', TOOLS_MAX).map((tool, index) => {
    const param = `tools[${index}]`
    if (!isJsonObject(tool)) return refuseType(param, 'an object', tool)
    readChoice(tool['type'], `${param}.type`, ['function'])
    const declared = tool['function']
    requireField(declared, `${param}.function`)
    if (!isJsonObject(declared)) return refuseType(`${param}.function`, 'an object', declared)
    requireField(declared['name'], `${param}.function.name`)
    const { name } = declared
    if (typeof name !== 'string') return refuseType(`${param}.function.name`, 'a string', name)
    return { name, parameters: declared['parameters'] ?? { type: 'object', properties: {} } }
  })
}

function readToolChoice(value: unknown, tools: readonly ChatTool[]): ToolChoice {
  if (value === undefined || value === null) return { kind: tools.length === 0 ? 'none' : 'auto' }
  if (tools.length === 0) {
    refuse("'tool_choice' is only allowed when 'tools' are specified.", 'tool_choice', null)
  }
  if (typeof value === 'string') return { kind: readChoice(value, 'tool_choice', ['none', 'auto', 'required']) }
  const named = isJsonObject(value) ? value['function'] : undefined
  const name = isJsonObject(named) ? named['name'] : undefined
  if (typeof name !== 'string')
    return refuseType('tool_choice', "one of 'none', 'auto', 'required' or an object", value)
  if (!tools.some((tool) => tool.name === name)) {
    refuse(`Tool choice '${name}' not found in 'tools' parameter.`, 'tool_choice', null)
  }
  return { kind: 'function', name }
}

function readFormat(value: unknown): AnswerFormat {
  if (value === undefined || value === null) return { kind: 'text' }
  if (!isJsonObject(value)) return refuseType('response_format', 'an object', value)
  const kind = readChoice(value['type'], 'response_format.type', ['json_object', 'json_schema', 'text'])
  if (kind === 'text') return { kind: 'text' }
  if (kind === 'json_object') return { kind: 'json-object' }
  const described = value['json_schema']
  requireField(described, 'response_format.json_schema')
  if (!isJsonObject(described)) return refuseType('response_format.json_schema', 'an object', described)
  requireField(described['name'], 'response_format.json_schema.name')
  return { kind: 'json-schema', schema: described['schema'] ?? {} }
}

/** The service insists on it, because a model that is not told writes white space for ever. */
function requireWordJson(messages: readonly ChatMessage[]): void {
  if (messages.some(({ texts }) => texts.some((text) => text.toLowerCase().includes('json')))) return
  const text = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
  refuse(text, 'messages', null)
}

function readEffort(value: unknown, facts: ModelFacts): ReasoningEffort | undefined {
  if (value === undefined || value === null) return undefined
  if (facts.kind !== 'reasoning') throw new InvalidRequest(unsupportedParameter('reasoning_effort'))
  return readChoice(value, 'reasoning_effort', reasoningEfforts)
}
