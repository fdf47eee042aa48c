import { noMedia, noTokens, type TokenUsage } from '../metering/usage-record'
import { BACKSLASH, CLOSE_BRACE, OPEN_BRACE } from './json-characters'
import { valueBehind } from './json-grammar'

const USAGE_KEY = Buffer.from('"usage"')
/** Between the key and its object. */
const GAP_BYTES_MAX = 64
const OBJECT_BYTES_MAX = 16 * 1024
/** An answer has one; what has more was not made by a model, and is not searched from end to end for each. */
const KEYS_MAX = 16
/** Of one call. A count beyond it is none: settled as it stands it would shut its tenant out for months. */
const TOKENS_MAX = 1_000_000_000
const SOUND_MS_MAX = 7 * 24 * 3_600_000

/**
 * The usage that a whole JSON answer reports, or undefined. Embedding answers are megabytes, so the last `"usage":{…}`
 * is found in the bytes and only that is parsed. Inside a JSON string its quotes would be escaped, so text that an
 * answer quotes cannot be mistaken for it.
 */
export function usageOfAnswer(body: Buffer): TokenUsage | undefined {
  let at = body.lastIndexOf(USAGE_KEY)
  for (let keys = 0; at >= 0 && keys < KEYS_MAX; keys++) {
    const usage = body[at - 1] === BACKSLASH ? undefined : readUsage(objectBehind(body, at + USAGE_KEY.length))
    if (usage) return usage
    at = at === 0 ? -1 : body.lastIndexOf(USAGE_KEY, at - 1)
  }
  return undefined
}

/** Reads OpenAI's usage object; what is missing or no count is 0. Undefined when it is no usage object at all. */
export function readUsage(value: unknown): TokenUsage | undefined {
  if (!isRecord(value)) return undefined
  const promptTokens = count(value['prompt_tokens'] ?? value['input_tokens'])
  if (promptTokens === undefined) return soundUsage(value)
  const imageTokens = detail(value['input_tokens_details'], 'image_tokens')
  return {
    ...(imageTokens > 0 ? { media: { ...noMedia, imageTokens } } : {}),
    promptTokens,
    outputTokens: count(value['completion_tokens'] ?? value['output_tokens']) ?? 0,
    cachedTokens: detail(value['prompt_tokens_details'] ?? value['input_tokens_details'], 'cached_tokens'),
    reasoningTokens: detail(value['completion_tokens_details'] ?? value['output_tokens_details'], 'reasoning_tokens'),
  }
}

/** Models that are billed by the second say so in place of tokens. */
function soundUsage({ seconds }: Record<string, unknown>): TokenUsage | undefined {
  const audioMs = typeof seconds === 'number' ? soundMs(seconds) : undefined
  return audioMs === undefined ? undefined : { ...noTokens, media: { ...noMedia, audioMs } }
}

/** How long a sound was, in whole milliseconds; undefined for what no sound can be. */
export function soundMs(seconds: number): number | undefined {
  const ms = Math.round(seconds * 1_000)
  return ms >= 0 && ms <= SOUND_MS_MAX ? ms : undefined
}

function objectBehind(body: Buffer, from: number): unknown {
  const open = valueBehind(body.subarray(0, from + GAP_BYTES_MAX), from)
  if (body[open] !== OPEN_BRACE) return undefined
  // A usage object holds numbers and flat objects, no strings with braces: the text up to its own last brace parses.
  let depth = 0
  for (let at = open; at < Math.min(body.length, open + OBJECT_BYTES_MAX); at++) {
    const byte = body[at]
    if (byte === OPEN_BRACE) depth += 1
    else if (byte === CLOSE_BRACE) depth -= 1
    if (depth > 0) continue
    try {
      return JSON.parse(body.toString('latin1', open, at + 1)) as unknown
    } catch {
      return undefined
    }
  }
  return undefined
}

function detail(details: unknown, key: string): number {
  return isRecord(details) ? (count(details[key]) ?? 0) : 0
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= TOKENS_MAX ? value : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
