import type { Call } from './read-call'

/**
 * Tokens to reserve before dispatch: the prompt by its length, plus all the output that the call allows (I6).
 * Azure's own admission counts characters too; the provider's usage replaces the estimate when the call is settled.
 */
export function estimateTokens(call: Call, outputTokensAllowed: number): { prompt: number; total: number } {
  const prompt = call.operation.name === 'embeddings' ? estimateInput(call.body['input']) : estimateConversation(call)
  return { prompt, total: Math.max(1, prompt + outputTokensAllowed * call.choices) }
}

/** English runs near 4 bytes a token; scripts with 3-byte characters near 3, which the byte count already reflects in part. */
const BYTES_PER_TOKEN = 4
/** Role, separators and priming: 3 a message (OpenAI cookbook, "How to count tokens with tiktoken") plus the role's own. */
const TOKENS_PER_MESSAGE = 4
const PRIMING_TOKENS = 3
/** An image of `detail: low`, and one of four tiles otherwise (azure-facts: 85 + 170 a tile); its real size is unknown here. */
const IMAGE_TOKENS_LOW = 85
const IMAGE_TOKENS_HIGH = 765
/** Speech is about 10 tokens a second; base 64 of 24 kHz PCM is about 64,000 bytes a second. */
const AUDIO_BYTES_PER_TOKEN = 6_400

function estimateConversation({ body, fields }: Call): number {
  let tokens = PRIMING_TOKENS
  for (const message of body['messages'] as readonly Readonly<Record<string, unknown>>[]) {
    tokens += TOKENS_PER_MESSAGE + estimateContent(message['content'])
    if (message['tool_calls'] !== undefined) tokens += textTokens(JSON.stringify(message['tool_calls']))
  }
  for (const key of ['tools', 'functions', 'response_format']) {
    const span = fields.spans.get(key)
    if (span) tokens += Math.ceil((span.end - span.start) / BYTES_PER_TOKEN)
  }
  return tokens
}

function estimateContent(content: unknown): number {
  if (typeof content === 'string') return textTokens(content)
  if (!Array.isArray(content)) return 0
  let tokens = 0
  for (const part of content as readonly unknown[]) {
    if (typeof part === 'object' && part !== null) tokens += estimatePart(part as Readonly<Record<string, unknown>>)
  }
  return tokens
}

function estimatePart(part: Readonly<Record<string, unknown>>): number {
  if (typeof part['text'] === 'string') return textTokens(part['text'])
  if (part['type'] === 'image_url') {
    const image = part['image_url'] as { detail?: unknown } | null | undefined
    return image?.detail === 'low' ? IMAGE_TOKENS_LOW : IMAGE_TOKENS_HIGH
  }
  if (part['type'] === 'input_audio') {
    const audio = part['input_audio'] as { data?: unknown } | null | undefined
    return typeof audio?.data === 'string' ? Math.ceil(audio.data.length / AUDIO_BYTES_PER_TOKEN) : 0
  }
  return 0
}

function estimateInput(input: unknown): number {
  if (typeof input === 'string') return textTokens(input)
  if (!Array.isArray(input)) return 0
  let tokens = 0
  for (const item of input as readonly unknown[]) {
    if (typeof item === 'string') tokens += textTokens(item)
    else if (Array.isArray(item)) tokens += item.length
    else tokens += 1
  }
  return tokens
}

function textTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN)
}
