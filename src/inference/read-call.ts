import { isUtf8 } from 'node:buffer'
import { Problem } from '../base/problem'
import type { BodyShare } from './body-room'
import type { InferenceRequest } from './inference-request'
import { findFields, type JsonFields } from './json-fields'
import type { Target } from './match-path'
import { invalid } from './body-fields'
import type { Body, Operation, Reading } from './operation'
import type { UrlFamily } from './operations'

/** A model call as the client wrote it: the few fields that decisions need, and the bytes that will be forwarded. */
export interface Call extends Reading {
  readonly operation: Operation
  readonly family: UrlFamily
  readonly apiVersion: string | undefined
  /** The tenant's own name of the model. */
  readonly alias: string
  readonly bytes: Buffer
  readonly fields: JsonFields
  readonly body: Body
}

/** Larger than any chat call that Azure accepts in practice; files and audio have paths of their own. */
export const BODY_BYTES_MAX = 20 * 1024 * 1024
const BODY_TIMEOUT_MS = 60_000
const ALIAS_CHARACTERS_MAX = 256

type CallTarget = Extract<Target, { kind: 'call' }>

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

  const { operation, family, apiVersion } = target
  const alias = target.deployment ?? body['model']
  if (typeof alias !== 'string' || alias === '') {
    return invalid('model', 'must be a string that names one of your model aliases')
  }
  if (alias.length > ALIAS_CHARACTERS_MAX) return invalid('model', `is longer than ${ALIAS_CHARACTERS_MAX} characters`)

  const reading = operation.read(body)
  if (reading instanceof Problem) return reading
  if (reading.stream && !operation.events) return invalid('stream', `is not available for ${operation.path}`)
  return { operation, family, apiVersion, alias, bytes, fields, body, ...reading }
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
