import { isUtf8 } from 'node:buffer'
import { Problem } from '../base/problem'
import { checkEncoding } from './body-encoding'
import type { BodyShare } from './body-room'
import type { InferenceRequest } from './inference-request'
import { parseForm, textFields, type Form } from './form-body'
import { findFields, type FieldEdit, type JsonFields } from './json-fields'
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
  /** Of a JSON body; none of a form. */
  readonly fields: JsonFields
  readonly form: Form | undefined
  readonly contentType: string
  /** The fields: of a form those that are texts. */
  readonly body: Body
  /** Names of the parts that are files. */
  readonly files: readonly string[]
  readonly fileBytes: number
  /** Fields that go on otherwise than the client wrote them: in the account's words for what they name. */
  readonly rewrites?: readonly FieldEdit[] | undefined
  /** Tokens of the responses that it goes on from, which the model reads again. */
  readonly earlierTokens?: number | undefined
}

/** Larger than any chat call that Azure accepts in practice. */
export const BODY_BYTES_MAX = 20 * 1024 * 1024
/** Sound may have 25 MB (azure-facts 1.9), and images to edit some MB each. */
export const FORM_BYTES_MAX = 64 * 1024 * 1024
const BODY_TIMEOUT_MS = 60_000
const ALIAS_CHARACTERS_MAX = 256

type CallTarget = Extract<Target, { kind: 'call' }>

/** Reads and checks the body. What only the provider can judge (roles, tools, schemas) is left to the provider. */
export async function readCall(
  target: CallTarget,
  request: InferenceRequest,
  share: BodyShare,
): Promise<Call | Problem> {
  const bytesMax = target.operation.body === 'form' ? FORM_BYTES_MAX : BODY_BYTES_MAX
  const bytes = await readBytes(request, share, bytesMax)
  if (bytes instanceof Problem) return bytes
  return parseCall(target, bytes, request.headers.get('content-type'))
}

/** The whole body, within its bounds in length and time and the room that this instance has for bodies. */
export async function readBytes(
  request: InferenceRequest,
  share: BodyShare,
  bytesMax: number,
): Promise<Buffer | Problem> {
  const encoded = checkEncoding(request.headers)
  if (encoded) return encoded
  const read = await request.readBody({ bytesMax, timeoutMs: BODY_TIMEOUT_MS, take: share.take })
  switch (read.kind) {
    case 'too-large':
      return new Problem('body_too_large', `The body is larger than ${bytesMax} bytes.`)
    case 'no-room':
      return new Problem('instance_overloaded', 'This instance holds as many request bodies as it can.', {
        retryAfterMs: 1_000,
      })
    case 'timeout':
      // Closed, so that what still comes of it is held by nobody.
      return new Problem('body_timeout', `The body did not arrive within ${BODY_TIMEOUT_MS / 1_000} s.`, {
        headers: { connection: 'close' },
      })
    case 'cut-off':
      return new Problem('invalid_request', 'The connection was closed before the body was complete.')
    case 'read':
      return read.bytes
  }
}

export function parseCall(
  target: CallTarget,
  bytes: Buffer,
  contentType: string | null = 'application/json',
): Call | Problem {
  const { operation, family, apiVersion } = target
  const content = operation.body === 'form' ? parseFormBody(bytes, contentType) : parseJsonBody(bytes)
  if (content instanceof Problem) return content
  const { body, files } = content

  const alias = target.deployment ?? body['model']
  if (typeof alias !== 'string' || alias === '') {
    return invalid('model', 'must be a string that names one of your model aliases')
  }
  if (alias.length > ALIAS_CHARACTERS_MAX) return invalid('model', `is longer than ${ALIAS_CHARACTERS_MAX} characters`)

  const reading = operation.read(body, files)
  if (reading instanceof Problem) return reading
  if (reading.stream && !operation.events) return invalid('stream', `is not available for ${operation.path}`)
  return { operation, family, apiVersion, alias, bytes, ...content, ...reading }
}

type Content = Pick<Call, 'body' | 'fields' | 'form' | 'contentType' | 'files' | 'fileBytes'>

function parseJsonBody(bytes: Buffer): Content | Problem {
  const body = parseBody(bytes)
  if (body instanceof Problem) return body
  const fields = findFields(bytes)
  if (fields.duplicate !== undefined) return invalid(fields.duplicate, 'stands twice in the body; send it once')
  return { body, fields, form: undefined, contentType: 'application/json', files: [], fileBytes: 0 }
}

const noFields: JsonFields = { spans: new Map(), duplicate: undefined }

function parseFormBody(bytes: Buffer, contentType: string | null): Content | Problem {
  const form = parseForm(bytes, contentType)
  if (form instanceof Problem) return form
  const texts = textFields(bytes, form)
  if (texts instanceof Problem) return texts
  const deciding = form.parts.filter(({ name }) => DECIDING_FIELDS.has(name))
  const twice = deciding.find(({ name }, at) => deciding.findIndex((one) => one.name === name) < at)
  if (twice) return invalid(twice.name, 'stands twice in the form; send it once')
  const asFile = deciding.find(({ filename }) => filename !== undefined)
  if (asFile) return invalid(asFile.name, 'must not be a file')
  const files = form.parts.filter(({ filename }) => filename !== undefined)
  return {
    body: { ...texts, ...typed(texts) },
    fields: noFields,
    form,
    contentType: contentType ?? '',
    files: files.map(({ name }) => name),
    fileBytes: files.reduce((sum, { start, end }) => sum + end - start, 0),
  }
}

/** Parsers disagree on which of two counts. */
const DECIDING_FIELDS = new Set(['model', 'n', 'stream', 'prompt', 'quality'])

/** A form has texts only; these are read as what they stand for, as the provider does. */
function typed({ n, stream }: Readonly<Record<string, string>>): Body {
  return {
    ...(n !== undefined && /^-?\d+(?:\.\d+)?$/.test(n) ? { n: Number(n) } : {}),
    ...(stream === 'true' || stream === 'false' ? { stream: stream === 'true' } : {}),
  }
}

/** A JSON object, or a problem that quotes nothing of the text. */
export function parseBody(bytes: Buffer): Body | Problem {
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
  const position = /at position \d+(?: \(line \d+ column \d+\))?/.exec(reason)?.[0]
  return (
    position ?? (/end of JSON|Unterminated/.test(reason) ? 'it ends too early' : 'it holds what JSON does not have')
  )
}
