import { newHexId } from '../answer-id'
import { checkSampling, type AnswerFormat, type ChatMessage, type ChatRequest, type ToolChoice } from '../chat-request'
import { reasoningEfforts } from '../chat-request'
import { unsupportedParameter } from '../errors'
import { isJsonObject, type JsonObject } from '../json-value'
import type { ModelFacts } from '../model-catalogue'
import {
  InvalidRequest,
  readBoolean,
  readChoice,
  readList,
  readNumber,
  refuse,
  refuseType,
  requireField,
} from '../request-fields'

export interface ResponseRequest {
  /** What the model reads and how it shall answer. */
  readonly chat: ChatRequest
  /** Everything that was said, from the first response of a chain on: the form in which a response keeps it. */
  readonly items: readonly JsonObject[]
  readonly stream: boolean
  readonly background: boolean
  readonly store: boolean
}

const ITEMS_MAX = 2_048
const TOOLS_MAX = 128
const OUTPUT_TOKENS_MIN = 16
const METADATA_MAX = 16
const roles = ['user', 'assistant', 'system', 'developer'] as const

/**
 * Reads the body of a response as the service's validation does; `earlier` is what was said before, where the body names
 * a response that it follows. Throws InvalidRequest with the body to answer.
 */
export function parseResponseRequest(
  body: JsonObject,
  facts: ModelFacts,
  earlier: readonly JsonObject[],
): ResponseRequest {
  if (body['input'] === undefined && earlier.length === 0) requireField(undefined, 'input')
  const items = [...earlier, ...readInput(body['input'])]
  checkSampling(body)
  if (facts.kind === 'reasoning') refuseSampling(body)
  const stream = readBoolean(body['stream'], 'stream') ?? false
  const store = readBoolean(body['store'], 'store') ?? true
  const background = readBoolean(body['background'], 'background') ?? false
  if (background && !store) refuse("Background mode requires 'store' to be true.", 'store', 'invalid_value')
  checkMetadata(body['metadata'])
  const tools = readTools(body['tools'])
  const chat: ChatRequest = {
    messages: [...instructionsOf(body['instructions']), ...items.flatMap(messageOf)],
    stream,
    includeUsage: true,
    choices: 1,
    outputTokensMax: readOutputTokensMax(body['max_output_tokens'], facts),
    stops: [],
    tools,
    toolsText: Array.isArray(body['tools']) && body['tools'].length > 0 ? JSON.stringify(body['tools']) : '',
    toolChoice: readToolChoice(body['tool_choice'], tools.length > 0),
    parallelToolCalls: readBoolean(body['parallel_tool_calls'], 'parallel_tool_calls') ?? true,
    format: readFormat(body['text']),
    reasoningEffort: readEffort(body['reasoning'], facts),
    seed: 0,
  }
  return { chat, items, stream, background, store }
}

/** A text is one message of the user. Every item gets the id by which the list of input items knows it. */
function readInput(value: unknown): JsonObject[] {
  if (value === undefined || value === null) return []
  const text = (content: string) => [{ type: 'input_text', text: content }]
  if (typeof value === 'string') {
    return [{ id: newHexId('msg_'), type: 'message', status: 'completed', role: 'user', content: text(value) }]
  }
  return readList(value, 'input', 'objects', ITEMS_MAX).map((item, index) => {
    const param = `input[${index}]`
    if (!isJsonObject(item)) return refuseType(param, 'an object', item)
    if (item['type'] !== undefined && item['type'] !== 'message') return { id: newHexId(idPrefix(item)), ...item }
    const role = readChoice(item['role'], `${param}.role`, roles)
    const { content } = item
    requireField(content, `${param}.content`)
    if (typeof content !== 'string') readList(content, `${param}.content`, 'objects', ITEMS_MAX)
    const parts = typeof content !== 'string' ? content : role === 'assistant' ? said(content) : text(content)
    return { id: newHexId('msg_'), type: 'message', status: 'completed', ...item, role, content: parts }
  })
}

const said = (text: string) => [{ type: 'output_text', text, annotations: [], logprobs: [] }]

function idPrefix({ type }: JsonObject): string {
  if (type === 'function_call' || type === 'function_call_output') return 'fc_'
  return type === 'reasoning' ? 'rs_' : 'item_'
}

/** What the model reads of an item; thoughts of earlier turns are not read again. */
function messageOf(item: JsonObject): ChatMessage[] {
  const { type, role, content } = item
  const message = (by: string, texts: readonly string[], images = 0) => [{ role: by, name: undefined, texts, images }]
  if (type === 'function_call') return message('assistant', [text(item['name']), text(item['arguments'])])
  if (type === 'function_call_output') {
    const { output } = item
    return message('tool', typeof output === 'string' ? [output] : partsOf(output).map((part) => text(part['text'])))
  }
  if (type !== 'message') return []
  const parts = partsOf(content)
  const texts = parts.flatMap((part) => (typeof part['text'] === 'string' ? [part['text']] : []))
  return message(text(role), texts, parts.filter((part) => part['type'] === 'input_image').length)
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const partsOf = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isJsonObject) : [])

function instructionsOf(value: unknown): ChatMessage[] {
  if (value === undefined || value === null) return []
  if (typeof value !== 'string') return refuseType('instructions', 'a string', value)
  return [{ role: 'system', name: undefined, texts: [value], images: 0 }]
}

function refuseSampling(body: JsonObject): void {
  for (const param of ['temperature', 'top_p', 'top_logprobs']) {
    if (body[param] !== undefined && body[param] !== null) throw new InvalidRequest(unsupportedParameter(param))
  }
}

function readOutputTokensMax(value: unknown, facts: ModelFacts): number | undefined {
  const bounds = { whole: true, min: OUTPUT_TOKENS_MIN, max: facts.outputTokensMax }
  return readNumber(value, 'max_output_tokens', bounds)
}

function checkMetadata(value: unknown): void {
  if (value === undefined || value === null) return
  if (!isJsonObject(value)) refuseType('metadata', 'an object', value)
  else if (Object.keys(value).length > METADATA_MAX) {
    refuse(
      `Invalid 'metadata': too many properties. Expected at most ${METADATA_MAX}.`,
      'metadata',
      'object_above_max_properties',
    )
  }
}

/** Functions only: what the service's own tools would do is not simulated, though their descriptions are counted. */
function readTools(value: unknown): ChatRequest['tools'] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value) && value.length === 0) return []
  return readList(value, 'tools', 'objects', TOOLS_MAX).flatMap((tool, index) => {
    const param = `tools[${index}]`
    if (!isJsonObject(tool)) return refuseType(param, 'an object', tool)
    requireField(tool['type'], `${param}.type`)
    if (tool['type'] !== 'function') return []
    requireField(tool['name'], `${param}.name`)
    const { name, parameters } = tool
    if (typeof name !== 'string') return refuseType(`${param}.name`, 'a string', name)
    return [{ name, parameters: parameters ?? { type: 'object', properties: {} } }]
  })
}

function readToolChoice(value: unknown, anyTools: boolean): ToolChoice {
  if (value === undefined || value === null) return { kind: anyTools ? 'auto' : 'none' }
  if (typeof value === 'string') return { kind: readChoice(value, 'tool_choice', ['none', 'auto', 'required']) }
  if (!isJsonObject(value)) return refuseType('tool_choice', "one of 'none', 'auto', 'required' or an object", value)
  const { name } = value
  return typeof name === 'string' ? { kind: 'function', name } : { kind: 'auto' }
}

function readFormat(options: unknown): AnswerFormat {
  if (options === undefined || options === null) return { kind: 'text' }
  if (!isJsonObject(options)) return refuseType('text', 'an object', options)
  const { format } = options
  if (format === undefined || format === null) return { kind: 'text' }
  if (!isJsonObject(format)) return refuseType('text.format', 'an object', format)
  const kind = readChoice(format['type'], 'text.format.type', ['text', 'json_object', 'json_schema'])
  if (kind === 'text') return { kind: 'text' }
  if (kind === 'json_object') return { kind: 'json-object' }
  requireField(format['name'], 'text.format.name')
  requireField(format['schema'], 'text.format.schema')
  return { kind: 'json-schema', schema: format['schema'] }
}

function readEffort(value: unknown, facts: ModelFacts): ChatRequest['reasoningEffort'] {
  if (value === undefined || value === null) return undefined
  if (!isJsonObject(value)) return refuseType('reasoning', 'an object', value)
  const { effort } = value
  if (effort === undefined || effort === null) return undefined
  if (facts.kind !== 'reasoning') throw new InvalidRequest(unsupportedParameter('reasoning.effort'))
  return readChoice(effort, 'reasoning.effort', reasoningEfforts)
}
