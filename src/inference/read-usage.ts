import { noMedia, noTokens, type TokenUsage } from '../metering/usage-record'

const USAGE_KEY = Buffer.from('"usage"')
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b

/**
 * The usage that a whole JSON answer reports, or undefined. Embedding answers are megabytes, so the last `"usage":{…}`
 * is found in the bytes and only that is parsed. Inside a JSON string its quotes would be escaped, so text that an
 * answer quotes cannot be mistaken for it.
 */
export function usageOfAnswer(body: Buffer): TokenUsage | undefined {
  for (let at = body.lastIndexOf(USAGE_KEY); at >= 0; at = at === 0 ? -1 : body.lastIndexOf(USAGE_KEY, at - 1)) {
    if (body[at - 1] === BACKSLASH) continue
    const open = body.indexOf(OPEN_BRACE, at)
    if (open < 0 || !/^\s*:\s*$/.test(body.toString('latin1', at + USAGE_KEY.length, open))) continue
    const usage = readUsage(parseObjectAt(body, open))
    if (usage) return usage
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
  if (typeof seconds !== 'number' || !(seconds >= 0)) return undefined
  return { ...noTokens, media: { ...noMedia, audioMs: Math.round(seconds * 1_000) } }
}

function parseObjectAt(body: Buffer, open: number): unknown {
  // A usage object holds numbers and flat objects, no strings with braces: the text up to its own last brace parses.
  let depth = 0
  for (let at = open; at < body.length; at++) {
    const byte = body[at]
    if (byte === OPEN_BRACE) depth += 1
    else if (byte === 0x7d && --depth === 0) {
      try {
        return JSON.parse(body.toString('utf8', open, at + 1)) as unknown
      } catch {
        return undefined
      }
    }
  }
  return undefined
}

function detail(details: unknown, key: string): number {
  return isRecord(details) ? (count(details[key]) ?? 0) : 0
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
