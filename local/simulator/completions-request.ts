import { checkSampling, readIncludeUsage, readStops } from './chat-request'
import type { Deployment } from './deployment'
import type { JsonObject } from './json-value'
import { readBoolean, readList, readNumber, refuse, refuseType } from './request-fields'

export interface CompletionsRequest {
  /** As texts, whichever way they came. */
  readonly prompts: readonly string[]
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly outputTokensMax: number
  /** Answers to each prompt that are shown, and those that are generated for it. */
  readonly shown: number
  readonly tried: number
  readonly stops: readonly string[]
  readonly echo: boolean
  readonly suffix: string
  readonly seed: number
}

const PROMPTS_MAX = 2_048
const PROMPT_TOKENS_MAX = 1_000_000
const CHOICES_MAX = 128
const OUTPUT_TOKENS_DEFAULT = 16
/** What the service reads where a prompt is left out. */
const NO_PROMPT = '<|endoftext|>'

/** Reads a completions body as the service's validation does. Throws InvalidRequest with the body to answer. */
export function parseCompletionsRequest(body: JsonObject, deployment: Deployment): CompletionsRequest {
  checkSampling(body)
  const stream = readBoolean(body['stream'], 'stream') ?? false
  const count = (name: string) => readNumber(body[name], name, { whole: true, min: 1, max: CHOICES_MAX })
  const shown = count('n') ?? 1
  const tried = count('best_of') ?? shown
  if (tried < shown) {
    refuse(`You requested that the server return more choices than it will generate (n > best_of).`, 'best_of', null)
  }
  if (stream && tried > shown) refuse('best_of is not allowed with streaming.', 'best_of', null)
  const { suffix } = body
  return {
    prompts: readPrompts(body['prompt'], deployment),
    stream,
    includeUsage: readIncludeUsage(body['stream_options'], stream),
    outputTokensMax:
      readNumber(body['max_tokens'], 'max_tokens', { whole: true, min: 0, max: deployment.facts.outputTokensMax }) ??
      OUTPUT_TOKENS_DEFAULT,
    shown,
    tried,
    stops: readStops(body['stop']),
    echo: readBoolean(body['echo'], 'echo') ?? false,
    suffix: typeof suffix === 'string' ? suffix : '',
    seed: readNumber(body['seed'], 'seed', wholeNumbers) ?? 0,
  }
}

const wholeNumbers = { whole: true, min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }

/** One string or list of tokens, or a list of either. */
function readPrompts(value: unknown, deployment: Deployment): readonly string[] {
  if (value === undefined || value === null) return [NO_PROMPT]
  if (typeof value === 'string') return [value]
  if (isTokens(value)) return [decoded(value, deployment, 'prompt')]
  const items = readList(value, 'prompt', 'strings', PROMPTS_MAX)
  return items.map((item, index) => {
    const param = `prompt[${index}]`
    if (typeof item === 'string') return item
    return isTokens(item) ? decoded(item, deployment, param) : refuseType(param, 'a string or a list of tokens', item)
  })
}

function isTokens(value: unknown): value is readonly number[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > PROMPT_TOKENS_MAX) return false
  return value.every((item) => Number.isInteger(item))
}

function decoded(tokens: readonly number[], { tokenizer }: Deployment, param: string): string {
  try {
    return tokenizer.decode(tokens)
  } catch {
    return refuse(`Invalid '${param}': an id is not a token of this model.`, param, 'invalid_value')
  }
}
