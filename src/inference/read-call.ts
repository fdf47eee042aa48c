import { isUtf8 } from 'node:buffer'
import { Problem } from '../base/problem'
import type { BodyShare } from './body-room'
import type { InferenceRequest } from './inference-request'
import { findFields, type JsonFields } from './json-fields'
import type { Target } from './match-path'
import type { Operation, Surface } from './operations'

/** A model call as the client wrote it: the few fields that decisions need, and the bytes that will be forwarded. */
export interface Call {
  readonly operation: Operation
  readonly surface: Surface
  readonly apiVersion: string | undefined
  /** The tenant's own name of the model. */
  readonly alias: string
  readonly bytes: Buffer
  readonly fields: JsonFields
  readonly body: Readonly<Record<string, unknown>>
  readonly stream: boolean
  /** Whether the client asked for the usage chunk itself. */
  readonly wantsUsageChunk: boolean
  /** The output tokens that the client allows for each of its choices; undefined where it sets no bound. */
  readonly outputTokens: number | undefined
  /** How many answers it asks for. */
  readonly choices: number
}

/** Larger than any chat call that Azure accepts in practice; files and audio have paths of their own. */
export const BODY_BYTES_MAX = 20 * 1024 * 1024
const BODY_TIMEOUT_MS = 60_000
const CHOICES_MAX = 128
const ALIAS_CHARACTERS_MAX = 256

type CallTarget = Extract<Target, { kind: 'call' }>
type Body = Readonly<Record<string, unknown>>

/** Reads and checks the body. What only the provider can judge (roles, tools, schemas) is left to the provider. */
export async function readCall(
  target: CallTarget,
  request: InferenceRequest,
  share: BodyShare,
): Promise<Call | Problem> {
  const read = await request.readBody({ bytesMax: BODY_BYTES_MAX, timeoutMs: BODY_TIMEOUT_MS, take: share.take })
  switch (read.kind) {
    case 'too-large':
      return new Problem('body_too_large', `The body is larger than ${BODY_BYTES_MAX} bytes.`)
    case 'no-room':
      return new Problem('instance_overloaded', 'This instance holds as many request bodies as it can.', {
        retryAfterMs: 1_000,
      })
    case 'timeout':
      return new Problem('body_timeout', `The body did not arrive within ${BODY_TIMEOUT_MS / 1_000} s.`)
    case 'cut-off':
      return new Problem('invalid_request', 'The connection was closed before the body was complete.')
    case 'read':
      return parseCall(target, read.bytes)
  }
}

export function parseCall(target: CallTarget, bytes: Buffer): Call | Problem {
  const body = parseBody(bytes)
  if (body instanceof Problem) return body
  const fields = findFields(bytes)
  if (fields.duplicate !== undefined) return invalid(fields.duplicate, 'stands twice in the body; send it once')

  const { operation, surface, apiVersion } = target
  const alias = target.deployment ?? body['model']
  if (typeof alias !== 'string' || alias === '') {
    return invalid('model', 'must be a string that names one of your model aliases')
  }
  if (alias.length > ALIAS_CHARACTERS_MAX) return invalid('model', `is longer than ${ALIAS_CHARACTERS_MAX} characters`)

  const faulty = operation.name === 'embeddings' ? checkInput(body) : checkMessages(body)
  if (faulty) return faulty
  const stream = readBoolean(body, 'stream')
  if (stream instanceof Problem) return stream
  if (stream && !operation.streams) return invalid('stream', `is not available for ${operation.path}`)
  const outputTokens = readOutputTokens(body)
  if (outputTokens instanceof Problem) return outputTokens
  const choices = readInteger(body, 'n', 1, CHOICES_MAX)
  if (choices instanceof Problem) return choices
  const wantsUsageChunk = readIncludeUsage(body)
  if (wantsUsageChunk instanceof Problem) return wantsUsageChunk

  return {
    operation,
    surface,
    apiVersion,
    alias,
    bytes,
    fields,
    body,
    stream,
    wantsUsageChunk,
    outputTokens,
    choices: choices ?? 1,
  }
}

function parseBody(bytes: Buffer): Body | Problem {
  if (bytes.length === 0) return new Problem('invalid_json', 'The body is empty; send a JSON object.')
  if (!isUtf8(bytes)) return new Problem('invalid_json', 'The body is not UTF-8.')
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'syntax error'
    return new Problem('invalid_json', `The body is not valid JSON: ${withoutContent(reason)}.`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new Problem('invalid_json', 'The body must be a JSON object.')
  }
  return value as Body
}

/** V8 quotes a piece of the text; the position says enough. */
function withoutContent(reason: string): string {
  return /at position \d+(?: \(line \d+ column \d+\))?/.exec(reason)?.[0] ?? 'it ends too early'
}

function checkMessages(body: Body): Problem | undefined {
  const messages = body['messages']
  if (!Array.isArray(messages)) return invalid('messages', 'must be an array of messages')
  if (messages.length === 0) return invalid('messages', 'must have at least one message')
  const at = messages.findIndex((message) => typeof message !== 'object' || message === null || Array.isArray(message))
  return at >= 0 ? invalid(`messages[${at}]`, 'must be an object with role and content') : undefined
}

function checkInput(body: Body): Problem | undefined {
  const input = body['input']
  if (typeof input === 'string' && input !== '') return undefined
  if (Array.isArray(input) && input.length > 0) return undefined
  return invalid('input', 'must be a string, an array of strings, or an array of tokens, and not empty')
}

function readIncludeUsage(body: Body): boolean | Problem {
  const options = body['stream_options']
  if (options === undefined || options === null) return false
  if (typeof options !== 'object' || Array.isArray(options)) return invalid('stream_options', 'must be an object')
  return readBoolean(options as Body, 'include_usage', 'stream_options.include_usage')
}

/** The larger of the two spellings: the provider refuses both together, and the reservation must not be too small before it does. */
function readOutputTokens(body: Body): number | undefined | Problem {
  const older = readInteger(body, 'max_tokens', 1, Number.MAX_SAFE_INTEGER)
  if (older instanceof Problem) return older
  const newer = readInteger(body, 'max_completion_tokens', 1, Number.MAX_SAFE_INTEGER)
  if (newer instanceof Problem) return newer
  return older === undefined || newer === undefined ? (older ?? newer) : Math.max(older, newer)
}

function readBoolean(body: Body, key: string, param = key): boolean | Problem {
  const value = body[key]
  if (value === undefined || value === null) return false
  return typeof value === 'boolean' ? value : invalid(param, 'must be true or false')
}

function readInteger(body: Body, key: string, min: number, max: number): number | undefined | Problem {
  const value = body[key]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  const bounds = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `between ${min} and ${max}`
  return invalid(key, `must be an integer ${bounds}`)
}

function invalid(param: string, what: string): Problem {
  return new Problem('invalid_request', `'${param}' ${what}.`, { param })
}
