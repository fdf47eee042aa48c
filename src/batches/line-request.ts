import { Problem } from '../base/problem'
import { invalid, readBoolean, readInteger } from '../inference/body-fields'
import type { FieldEdit } from '../inference/json-fields'
import type { Body } from '../inference/operation'
import { parseCall, type Call } from '../inference/read-call'
import { chatCompletions, contentTokens } from '../inference/surfaces/chat-completions'
import { textTokens, tokensOfBytes } from '../inference/text-tokens'
import type { ModelAlias } from '../tenants/snapshot'
import type { BatchKind } from './batch-endpoint'

/** What decisions need of the request in one line. */
export interface LineRequest {
  readonly model: string
  readonly promptTokens: number
  /** What the line allows for each of its answers; undefined where it sets no bound. */
  readonly outputTokens: number | undefined
  readonly outputParam: string | undefined
  readonly choices: number
  /** The field that bounds the output where the line does not. */
  readonly outputField: (cap: OutputCap) => string
  /** What else has to be set before it is sent. */
  readonly edits: readonly FieldEdit[]
}

/** Of an alias: how much output a request may have, and how its model's chat API names the bound. */
export type OutputCap = Pick<ModelAlias, 'outputTokensMax' | 'outputTokensField'>

/** Reads a line's body as the surface reads a call's; what only the provider can judge is left to the provider. */
export const readRequest: Readonly<Record<BatchKind, (bytes: Buffer, body: Body) => LineRequest | Problem>> = {
  chat: (bytes) => {
    const call = parseCall(
      { kind: 'call', operation: chatCompletions, family: 'v1', deployment: undefined, apiVersion: undefined },
      bytes,
    )
    return call instanceof Problem ? call : chatRequest(call)
  },
  responses: (_, body) => responseRequest(body),
}

function chatRequest(call: Call): LineRequest | Problem {
  if (call.stream) return invalid('stream', 'is not available in batches')
  if (call.body['store'] === true) return notStored
  return {
    model: call.alias,
    promptTokens: chatCompletions.promptTokens(call),
    outputTokens: call.outputTokens,
    outputParam: call.outputParam,
    choices: call.choices,
    outputField: ({ outputTokensField }) => outputTokensField,
    edits: [],
  }
}

/** What accounts keep belongs to nobody whom they know: nothing of a batch stays there. */
const notStored = invalid('store', 'must be false or left out: answers of a batch are in its output file only')

function responseRequest(body: Body): LineRequest | Problem {
  const { model, input, instructions } = body
  if (typeof model !== 'string' || model === '') return invalid('model', 'must name one of your model aliases')
  if (typeof input !== 'string' && !Array.isArray(input)) return invalid('input', 'must be a string or an array')
  for (const flag of ['stream', 'background'] as const) {
    const on = readBoolean(body, flag)
    if (on instanceof Problem) return on
    if (on) return invalid(flag, 'is not available in batches')
  }
  const store = readBoolean(body, 'store')
  if (store instanceof Problem) return store
  if (store) return notStored
  const outputTokens = readInteger(body, 'max_output_tokens', 1, Number.MAX_SAFE_INTEGER)
  if (outputTokens instanceof Problem) return outputTokens
  return {
    model,
    promptTokens: inputItemTokens(input) + bytesOf(body['tools']) + bytesOf(instructions),
    outputTokens,
    outputParam: 'max_output_tokens',
    choices: 1,
    outputField: () => 'max_output_tokens',
    // The service's own default is to keep it.
    edits: [{ key: 'store', value: 'false' }],
  }
}

/** Role and separators of an item, as in conversations. */
const TOKENS_PER_ITEM = 4

function inputItemTokens(input: string | readonly unknown[]): number {
  if (typeof input === 'string') return TOKENS_PER_ITEM + textTokens(input)
  let tokens = 0
  for (const item of input) {
    const content = typeof item === 'object' && item !== null ? (item as Body)['content'] : undefined
    tokens += TOKENS_PER_ITEM + (content === undefined ? bytesOf(item) : contentTokens(content))
  }
  return tokens
}

const bytesOf = (value: unknown) => (value === undefined ? 0 : tokensOfBytes(JSON.stringify(value).length))
