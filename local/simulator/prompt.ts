import type { ChatRequest } from './chat-request'
import { mergeHints, type Hints } from './hints'
import { PrefixHasher } from './prefix-cache'
import { hashText, mixHash } from './random'
import type { Tokenizer } from './tokens'

/** What a chat prompt comes to. */
export interface Prompt {
  readonly tokens: number
  /** The same for the same messages, whichever deployment reads them. */
  readonly hash: number
  /** From all messages but the assistant's: an answer that quotes a hint must not act on the next turn. */
  readonly hints: Hints | undefined
  /** Hashes of the prefix at the steps of prompt caching; empty for prompts too short for it. */
  readonly boundaries: readonly number[]
}

/** Three tokens frame a message and three open the answer; a name costs one more. Source: OpenAI's token cookbook. */
const MESSAGE_TOKENS = 3
const ANSWER_TOKENS = 3
const NAME_TOKENS = 1
/** A square of 1,024 pixels on the tile models: 85 + 4 × 170. The simulator does not look into images. */
const IMAGE_TOKENS = 765
const CACHEABLE_TOKENS_MIN = 1_024

/** Counts a prompt with the model's own encoding. */
export function readPrompt(request: ChatRequest, tokenizer: Tokenizer): Prompt {
  let tokens = ANSWER_TOKENS + (request.toolsText === '' ? 0 : tokenizer.count(request.toolsText))
  let hash = mixHash(request.seed, request.messages.length)
  let hints: Hints | undefined
  for (const message of request.messages) {
    tokens += MESSAGE_TOKENS + tokenizer.count(message.role) + message.images * IMAGE_TOKENS
    if (message.name !== undefined) tokens += tokenizer.count(message.name) + NAME_TOKENS
    hash = mixHash(hash, hashText(message.role))
    for (const text of message.texts) {
      const read = tokenizer.read(text)
      tokens += read.tokens.length
      hash = mixHash(hash, read.hash)
      if (message.role !== 'assistant') hints = mergeHints(hints, read.hints)
    }
  }
  const boundaries = tokens < CACHEABLE_TOKENS_MIN ? [] : boundariesOf(request, tokenizer)
  return { tokens, hash, hints, boundaries }
}

/** Walks the prompt in the order in which the model reads it, with a token in place of each framing one. */
function boundariesOf(request: ChatRequest, tokenizer: Tokenizer): readonly number[] {
  const hasher = new PrefixHasher()
  hasher.addAll(tokenizer.read(request.toolsText).tokens)
  for (const message of request.messages) {
    const frame = hashText(`${message.role} ${message.name ?? ''}`)
    for (let count = 0; count < MESSAGE_TOKENS; count++) hasher.add(frame)
    hasher.addAll(tokenizer.read(message.role).tokens)
    if (message.name !== undefined) hasher.addAll(tokenizer.read(message.name).tokens)
    for (const text of message.texts) hasher.addAll(tokenizer.read(text).tokens)
    for (let count = 0; count < message.images * IMAGE_TOKENS; count++) hasher.add(0)
  }
  return hasher.boundaries
}
