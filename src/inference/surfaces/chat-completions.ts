import { Problem } from '../../base/problem'
import { asRead, mayHold } from '../as-read'
import { invalid, readBoolean, readIncludeUsage, readInteger } from '../body-fields'
import type { Body, Operation, Reading } from '../operation'
import type { Call } from '../read-call'
import { checkDataSources, referencesInMessages } from '../references'
import { textTokens, tokensOfBytes } from '../text-tokens'

const CHOICES_MAX = 128

export const chatCompletions: Operation = {
  name: 'chat.completions',
  method: 'POST',
  path: '/chat/completions',
  capability: 'chat',
  body: 'json',
  events: 'chat',
  read,
  promptTokens: conversationTokens,
  outputField: ({ alias }) => alias.outputTokensField,
  edits: (call) => [...usageChunk(call), ...asRead(call, looked(call))],
}

function read(body: Body): Reading | Problem {
  const faulty = checkMessages(body)
  if (faulty) return faulty
  const stream = readBoolean(body, 'stream')
  if (stream instanceof Problem) return stream
  // The larger of the two spellings: the provider refuses both together, and the reservation must not be too small before it does.
  const older = readInteger(body, 'max_tokens', 1, Number.MAX_SAFE_INTEGER)
  if (older instanceof Problem) return older
  const newer = readInteger(body, 'max_completion_tokens', 1, Number.MAX_SAFE_INTEGER)
  if (newer instanceof Problem) return newer
  const choices = readInteger(body, 'n', 1, CHOICES_MAX)
  if (choices instanceof Problem) return choices
  const wantsUsageChunk = readIncludeUsage(body)
  if (wantsUsageChunk instanceof Problem) return wantsUsageChunk
  const outputTokens = older === undefined || newer === undefined ? (older ?? newer) : Math.max(older, newer)
  const outputParam = newer === undefined ? 'max_tokens' : 'max_completion_tokens'
  const foreign = checkDataSources(body)
  if (foreign) return foreign
  const references = referencesInMessages(body['messages'] as readonly Body[])
  if (references instanceof Problem) return references
  return { stream, wantsUsageChunk, outputTokens, outputParam, choices: choices ?? 1, references }
}

function checkMessages(body: Body): Problem | undefined {
  const messages = body['messages']
  if (!Array.isArray(messages)) return invalid('messages', 'must be an array of messages')
  if (messages.length === 0) return invalid('messages', 'must have at least one message')
  const at = messages.findIndex((message) => typeof message !== 'object' || message === null || Array.isArray(message))
  return at >= 0 ? invalid(`messages[${at}]`, 'must be an object with role and content') : undefined
}

/** Where a chat may name something that is stored; most have no such word in them, and go on as their bytes came. */
function looked(call: Call): string[] {
  const messages = mayHold(call, ['file_id', '"audio"']) ? ['messages'] : []
  return call.body['data_sources'] === undefined ? messages : [...messages, 'data_sources']
}

/** Usage is always asked for, so that every stream is metered by the provider's own count. */
export function usageChunk({ stream, wantsUsageChunk, body }: Call) {
  if (!stream || wantsUsageChunk) return []
  const asked = body['stream_options'] as object | null | undefined
  return [{ key: 'stream_options', value: JSON.stringify({ ...asked, include_usage: true }) }]
}

/** Role, separators and priming: 3 a message (OpenAI cookbook, "How to count tokens with tiktoken") plus the role's own. */
const TOKENS_PER_MESSAGE = 4
const PRIMING_TOKENS = 3

function conversationTokens({ body, fields }: Call): number {
  let tokens = PRIMING_TOKENS
  for (const message of body['messages'] as readonly Body[]) {
    tokens += TOKENS_PER_MESSAGE + contentTokens(message['content'])
    if (message['tool_calls'] !== undefined) tokens += textTokens(JSON.stringify(message['tool_calls']))
  }
  for (const key of ['tools', 'functions', 'response_format']) {
    const span = fields.spans.get(key)
    if (span) tokens += tokensOfBytes(span.end - span.start)
  }
  return tokens
}

/** A message's content: text, or parts of any kind. Not the base 64 of images and sound: their tokens follow from what they show. */
export function contentTokens(content: unknown): number {
  if (typeof content === 'string') return textTokens(content)
  if (!Array.isArray(content)) return 0
  let tokens = 0
  for (const part of content as readonly unknown[]) {
    if (typeof part === 'object' && part !== null) tokens += partTokens(part as Body)
  }
  return tokens
}

/** An image of `detail: low`, and one of four tiles otherwise (azure-facts: 85 + 170 a tile); its real size is unknown here. */
const IMAGE_TOKENS_LOW = 85
const IMAGE_TOKENS_HIGH = 765
/** Speech is about 10 tokens a second; base 64 of 24 kHz PCM is about 64,000 bytes a second. */
const AUDIO_BYTES_PER_TOKEN = 6_400

function partTokens(part: Body): number {
  if (typeof part['text'] === 'string') return textTokens(part['text'])
  if (part['type'] === 'image_url') {
    const image = part['image_url'] as { detail?: unknown } | null | undefined
    return image?.detail === 'low' ? IMAGE_TOKENS_LOW : IMAGE_TOKENS_HIGH
  }
  if (part['type'] === 'input_image') return part['detail'] === 'low' ? IMAGE_TOKENS_LOW : IMAGE_TOKENS_HIGH
  if (part['type'] === 'input_audio') {
    const audio = part['input_audio'] as { data?: unknown } | null | undefined
    return typeof audio?.data === 'string' ? Math.ceil(audio.data.length / AUDIO_BYTES_PER_TOKEN) : 0
  }
  return 0
}
