import { isUtf8 } from 'node:buffer'
import { isObject } from '../base/json-object'
import { Problem } from '../base/problem'
import { findFields, setFields, type FieldEdit, type FieldSpan } from '../inference/json-fields'
import type { Body } from '../inference/operation'
import { kindOf, withoutVersion, type BatchEndpoint } from './batch-endpoint'
import { batchFault, type BatchFault } from './batch-record'
import { readRequest, type LineRequest, type OutputCap } from './line-request'
import type { FileLine } from './read-lines'

/** `{"custom_id","method":"POST","url","body":{"model",…}}`, and where its body stands in it. */
export interface BatchLine {
  readonly customId: string
  readonly request: LineRequest
  readonly bytes: Buffer
  readonly body: FieldSpan
}

const CUSTOM_ID_CHARACTERS_MAX = 512

/** Faults name the line and the field, never what stands there. */
export function readLine({ bytes, number: line }: FileLine, endpoint: BatchEndpoint): BatchLine | BatchFault {
  const refused = (code: string, message: string, param: string | null = null) =>
    batchFault(code, message, { line, param })
  const parsed = parse(bytes)
  if (!parsed) return refused('invalid_json_line', 'The line is not a JSON object.')
  const { spans, duplicate } = findFields(bytes)
  if (duplicate !== undefined) return refused('invalid_json_line', 'A field stands twice in the line.')
  const { custom_id: customId, method, url, body } = parsed
  if (typeof customId !== 'string' || customId === '' || customId.length > CUSTOM_ID_CHARACTERS_MAX) {
    const valid = `must be text of 1 to ${CUSTOM_ID_CHARACTERS_MAX} characters`
    return refused('invalid_request', `'custom_id' ${valid}.`, 'custom_id')
  }
  if (method !== 'POST') return refused('invalid_request', "'method' must be POST.", 'method')
  if (typeof url !== 'string' || withoutVersion(url) !== withoutVersion(endpoint))
    return refused('url_mismatch', `'url' must be the endpoint of the batch, ${endpoint}.`, 'url')
  const span = spans.get('body')
  if (!span || !isObject(body)) return refused('invalid_request', "'body' must be an object.", 'body')
  if (typeof body['model'] !== 'string') return refused('model_not_found', noModel, 'body.model')

  const inner = bytes.subarray(span.start, span.end)
  const twice = findFields(inner).duplicate
  if (twice !== undefined) return refused('invalid_request', 'A field stands twice in the body.', 'body')
  const request = readRequest(kindOf(endpoint), inner)
  if (request instanceof Problem) {
    const param = request.param === undefined ? 'body' : `body.${request.param}`
    return refused('invalid_request', request.public, param)
  }
  return { customId, request, bytes, body: span }
}

/** The line as it goes to the account: every byte as it came but for the fields that have to be set. */
export function rewriteLine(
  { bytes, body, request }: BatchLine,
  { alias, deployment }: { alias: OutputCap; deployment: string },
): Buffer {
  const inner = bytes.subarray(body.start, body.end)
  const edits: FieldEdit[] = [{ key: 'model', value: JSON.stringify(deployment) }, ...request.edits]
  if (request.outputTokens === undefined)
    edits.push({ key: request.outputField(alias), value: String(alias.outputTokensMax) })
  const set = setFields(inner, findFields(inner), edits)
  return Buffer.concat([bytes.subarray(0, body.start), set, bytes.subarray(body.end)])
}

export const noModel = "Every line must name one model alias of yours as 'body.model', the same in all lines."

function parse(bytes: Buffer): Body | undefined {
  if (!isUtf8(bytes)) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
