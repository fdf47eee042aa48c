import { embeddingVector, vectorBase64, vectorJson } from './embedding-vector'
import { sendJson } from './fault-play'
import { GenerationalCache } from './generational-cache'
import { mergeHints, type Hints } from './hints'
import { beginCall, lateMs, refuseWrongModel, type InferenceCall } from './inference-call'
import type { JsonObject } from './json-value'
import { drawPace } from './latency'
import type { ModelFacts } from './model-catalogue'
import { readChoice, readList, readNumber, refuse, refuseType, requireField } from './request-fields'
import { nowMs } from './ticker-wheel'
import type { Tokenizer } from './tokens'

const INPUTS_MAX = 2_048
const TOTAL_TOKENS_MAX = 300_000
/** Bound of the rendered vectors kept per generation, in characters of JSON. */
const VECTOR_CHARS_MAX = 32_000_000

interface EmbeddingsRequest {
  readonly texts: readonly string[]
  readonly tokens: number
  readonly format: 'float' | 'base64'
  readonly dimensions: number
  readonly hints: Hints | undefined
}

/** Serves an embeddings call. Throws InvalidRequest for a body that the service would refuse. */
export function serveEmbeddings(call: InferenceCall): void {
  const { exchange, deployment, resource } = call
  const { facts, config } = deployment
  if (refuseWrongModel(call, ['embeddings'])) return
  const request = parseEmbeddingsRequest(call.body, facts, deployment.tokenizer)
  const asked = { promptTokens: request.tokens, cachedTokens: 0, outputTokensMax: 0 }
  const begun = beginCall(call, asked, request.hints)
  if (begun === undefined) return
  const { headers, fault } = begun

  const body = embeddingsBody(request, config.model, facts)
  const send = () => sendJson(exchange, { body, headers, fault }, resource.wheel)
  const delayMs = drawPace(config.latency, 0, deployment.random).firstTokenMs + lateMs(fault)
  if (delayMs === 0) send()
  else resource.wheel.at(nowMs() + delayMs, send)
}

function parseEmbeddingsRequest(body: JsonObject, facts: ModelFacts, tokenizer: Tokenizer): EmbeddingsRequest {
  requireField(body['input'], 'input')
  const texts = readInputs(body['input'], tokenizer)
  let tokens = 0
  let hints: Hints | undefined
  for (const text of texts) {
    const read = tokenizer.read(text)
    if (read.tokens.length > facts.inputTokensMax) refuseLength(facts.inputTokensMax, read.tokens.length)
    tokens += read.tokens.length
    hints = mergeHints(hints, read.hints)
  }
  if (tokens > TOTAL_TOKENS_MAX) {
    const text = `Requested ${tokens} tokens, max ${TOTAL_TOKENS_MAX} tokens per request`
    refuse(text, 'input', 'max_tokens_per_request')
  }
  const format = body['encoding_format'] ?? 'float'
  return {
    texts,
    tokens,
    hints,
    format: readChoice(format, 'encoding_format', ['float', 'base64']),
    dimensions: readDimensions(body['dimensions'], facts),
  }
}

function refuseLength(tokensMax: number, tokens: number): never {
  const text = `This model's maximum context length is ${tokensMax} tokens, however you requested ${tokens} tokens (${tokens} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.`
  return refuse(text, 'input', null)
}

/** A text, texts, one list of token ids or several; ids are read back to the text that they stand for. */
function readInputs(input: unknown, tokenizer: Tokenizer): readonly string[] {
  if (typeof input === 'string') return [nonEmpty(input, 'input')]
  const items = readList(input, 'input', 'strings', Array.isArray(input) && isIds(input) ? Infinity : INPUTS_MAX)
  if (isIds(items)) return [decoded(items, 'input', tokenizer)]
  return items.map((item, index) => {
    const param = `input[${index}]`
    if (typeof item === 'string') return nonEmpty(item, param)
    if (Array.isArray(item) && item.length > 0 && isIds(item)) return decoded(item, param, tokenizer)
    return refuseType(param, 'a string or an array of integers', item)
  })
}

function isIds(items: readonly unknown[]): items is readonly number[] {
  return typeof items[0] === 'number' && items.every((item) => Number.isInteger(item))
}

function decoded(ids: readonly number[], param: string, tokenizer: Tokenizer): string {
  try {
    return tokenizer.decode(ids)
  } catch {
    return refuse(`Invalid '${param}': an id is not a token of this model.`, param, 'invalid_value')
  }
}

function nonEmpty(text: string, param: string): string {
  return text === '' ? refuse(`Invalid '${param}': input cannot be an empty string.`, param, 'invalid_value') : text
}

function readDimensions(value: unknown, facts: ModelFacts): number {
  const full = facts.embeddingDimensions
  const asked = readNumber(value, 'dimensions', { whole: true, min: 1, max: full })
  if (asked === undefined) return full
  if (!facts.dimensionsSettable) refuse('This model does not support specifying dimensions.', 'dimensions', null)
  return asked
}

const rendered = new GenerationalCache<string, string>(VECTOR_CHARS_MAX, (key, json) => key.length + json.length)

function embeddingsBody({ texts, tokens, format, dimensions }: EmbeddingsRequest, model: string, facts: ModelFacts) {
  const data = texts.map((text, index) => {
    const embedding = render(text, format, { full: facts.embeddingDimensions, wanted: dimensions })
    return `{"object":"embedding","index":${index},"embedding":${embedding}}`
  })
  return `{"object":"list","data":[${data.join(',')}],"model":${JSON.stringify(model)},"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`
}

function render(text: string, format: 'float' | 'base64', size: { full: number; wanted: number }): string {
  const key = `${format} ${size.full} ${size.wanted} ${text}`
  const known = rendered.get(key)
  if (known !== undefined) return known
  const vector = embeddingVector(text, size)
  const json = format === 'base64' ? `"${vectorBase64(vector)}"` : vectorJson(vector)
  rendered.set(key, json)
  return json
}
