import { isJsonObject, type JsonObject } from '../json-value'
import type { ModelFacts } from '../model-catalogue'
import { readChoice, refuse, refuseType, requireField } from '../request-fields'
import type { InferenceCall } from '../inference-call'

export type Quality = 'low' | 'medium' | 'high'

export interface ImageRequest {
  readonly prompt: string
  readonly images: number
  readonly size: { readonly width: number; readonly height: number }
  readonly quality: Quality
  /** As the answer repeats it. */
  readonly format: 'png' | 'jpeg' | 'webp'
  readonly background: 'transparent' | 'opaque'
  readonly byUrl: boolean
  readonly stream: boolean
  readonly partials: number
  /** Images of an edit, its mask included. */
  readonly sources: number
  readonly highFidelity: boolean
}

const IMAGES_MAX = 10
const PARTIALS_MAX = 3
const SOURCES_MAX = 16
const SOURCE_BYTES_MAX = 50 * 1_024 * 1_024
const newSizes = ['1024x1024', '1536x1024', '1024x1536'] as const
const olderSizes = ['1024x1024', '1792x1024', '1024x1792'] as const

/** Reads a generation, or an edit, whose fields are texts. Throws InvalidRequest with the body to answer. */
export function parseImageRequest({ body, files, operation }: InferenceCall, facts: ModelFacts): ImageRequest {
  const { prompt } = body
  requireField(prompt, 'prompt')
  if (typeof prompt !== 'string') return refuseType('prompt', 'a string', prompt)
  if (prompt.length > facts.inputTokensMax) {
    const text = `Invalid 'prompt': string too long. Expected a string with maximum length ${facts.inputTokensMax}.`
    refuse(text, 'prompt', 'string_above_max_length')
  }
  const older = !facts.reportsTokens
  const choice = <T extends string>(name: string, choices: readonly T[], other: T): T =>
    body[name] === undefined || body[name] === null || body[name] === 'auto'
      ? other
      : readChoice(body[name], name, choices)
  const size = choice<string>('size', older ? olderSizes : newSizes, '1024x1024')
  const [width = 0, height = 0] = size.split('x').map(Number)
  const stream = readFlag(body, 'stream')
  const images = readCount(body, 'n', 1, older ? 1 : IMAGES_MAX) ?? 1
  if (stream && images > 1) refuse("'n' must be 1 when 'stream' is set.", 'n', 'invalid_value')
  const partials = readCount(body, 'partial_images', 0, PARTIALS_MAX) ?? 0
  if (stream && older) refuse("'stream' is not supported with this model.", 'stream', 'unsupported_parameter')
  if (older && body['output_format'] !== undefined) {
    refuse("Unknown parameter: 'output_format'.", 'output_format', 'unknown_parameter')
  }
  if (!older && body['response_format'] !== undefined) {
    refuse("Unknown parameter: 'response_format'.", 'response_format', 'unknown_parameter')
  }
  return {
    prompt,
    images,
    size: { width, height },
    quality: older ? 'medium' : choice('quality', ['low', 'medium', 'high'], 'high'),
    format: choice('output_format', ['png', 'jpeg', 'webp'], 'png'),
    background: choice('background', ['transparent', 'opaque'], 'opaque'),
    byUrl: older && choice('response_format', ['url', 'b64_json'], 'url') === 'url',
    stream,
    partials: stream ? partials : 0,
    sources: operation === 'images.edits' ? readSources(files) : 0,
    highFidelity: choice('input_fidelity', ['low', 'high'], 'low') === 'high',
  }
}

function readSources(files: InferenceCall['files']): number {
  const sources = files.filter(({ name }) => /^image(\[\d*\])?$/.test(name))
  if (sources.length === 0) refuse("Missing required parameter: 'image'.", 'image', 'missing_required_parameter')
  if (sources.length > SOURCES_MAX)
    refuse(`An edit takes at most ${SOURCES_MAX} images.`, 'image', 'array_above_max_length')
  for (const { bytes, filename } of sources) {
    if (bytes.length === 0 || bytes.length > SOURCE_BYTES_MAX)
      refuse(`Invalid image file: ${filename}.`, 'image', 'invalid_image_file')
  }
  return sources.length
}

/** In a form a number is its text. */
function readCount(body: JsonObject, name: string, min: number, max: number): number | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  const count = typeof value === 'string' && value !== '' ? Number(value) : value
  if (typeof count === 'number' && Number.isInteger(count) && count >= min && count <= max) return count
  return refuse(`Invalid '${name}': expected a whole number from ${min} to ${max}.`, name, 'invalid_value')
}

function readFlag(body: JsonObject, name: string): boolean {
  const value = body[name]
  if (value === undefined || value === null || value === false || value === 'false') return false
  if (value === true || value === 'true') return true
  return refuseType(name, isJsonObject(value) ? 'a boolean, not an object' : 'a boolean', value)
}
