import type { Deployment } from '../deployment'
import { isJsonObject, type JsonObject } from '../json-value'
import type { ModelAccount } from '../model-account'
import type { BatchError, BatchLine } from './stored-batch'

const LINES_MAX = 100_000
/** After so many the rest of a file is not looked at. */
const ERRORS_MAX = 100
/** What the service's estimate of enqueued tokens comes to. */
const CHARACTERS_PER_TOKEN = 4
const BOM = 0xfeff

export type ReadLines =
  | {
      readonly kind: 'lines'
      readonly lines: readonly BatchLine[]
      readonly deployment: Deployment
      readonly enqueuedTokens: number
    }
  | { readonly kind: 'invalid'; readonly errors: readonly BatchError[] }

/** Reads a batch's input file as the service's validation does. */
export function readLines(bytes: Buffer, endpoint: string, account: ModelAccount): ReadLines {
  const text = bytes.toString()
  if (text.charCodeAt(0) === BOM) return invalid(error('invalid_request', NO_MODEL))
  const rows = text.split('\n').filter((row) => row.trim() !== '')
  if (rows.length === 0) return invalid(error('empty_file', 'The input file is empty.'))
  if (rows.length > LINES_MAX) {
    return invalid(error('too_many_tasks', `The input file has more than ${LINES_MAX} requests.`))
  }
  const errors: BatchError[] = []
  const lines: BatchLine[] = []
  const seen = new Set<string>()
  let model: string | undefined
  for (const [index, row] of rows.entries()) {
    if (errors.length >= ERRORS_MAX) break
    const read = readLine(row, index + 1, endpoint)
    if ('code' in read) {
      errors.push(read)
      continue
    }
    const named = String(read.body['model'])
    model ??= named
    if (named !== model) errors.push(error('model_mismatch', 'All lines must name the same model.', index + 1, 'model'))
    else if (seen.has(read.customId)) {
      errors.push(
        error('duplicate_custom_id', `The custom_id '${read.customId}' is used twice.`, index + 1, 'custom_id'),
      )
    }
    seen.add(read.customId)
    lines.push(read)
  }
  if (errors.length > 0) return { kind: 'invalid', errors }
  const deployment = account.deployment(model ?? '')
  if (deployment?.config.admission.kind !== 'batch')
    return invalid(error('model_not_found', noBatchModel(model), null, 'model'))
  return { kind: 'lines', lines, deployment, enqueuedTokens: Math.ceil(text.length / CHARACTERS_PER_TOKEN) }
}

const NO_MODEL =
  "Validation failed: A valid model deployment name couldn't be extracted from the input file. Please ensure that each row in the input file has a valid deployment name specified in the 'model' field, and that the deployment name is consistent across all rows."
const noBatchModel = (model: string | undefined) =>
  `The model deployment '${model}' does not exist or is no batch deployment.`

const error = (code: string, message: string, line: number | null = null, param: string | null = null): BatchError => ({
  code,
  message,
  param,
  line,
})
const invalid = (...errors: BatchError[]): ReadLines => ({ kind: 'invalid', errors })

/** `{"custom_id","method":"POST","url","body":{"model",…}}`, with or without `/v1` in the url. */
function readLine(row: string, line: number, endpoint: string): BatchLine | BatchError {
  const parsed = parse(row)
  if (parsed === undefined) return error('invalid_json_line', 'A line is not a JSON object.', line)
  const { custom_id: customId, method, url, body } = parsed
  if (typeof customId !== 'string' || customId === '') {
    return error('invalid_request', "A line needs a 'custom_id' that is text.", line, 'custom_id')
  }
  if (method !== 'POST') return error('invalid_request', "The 'method' of a line is POST.", line, 'method')
  if (typeof url !== 'string' || withoutVersion(url) !== withoutVersion(endpoint)) {
    return error('url_mismatch', `The 'url' of a line must be that of the batch, ${endpoint}.`, line, 'url')
  }
  if (!isJsonObject(body)) return error('invalid_request', "A line needs a 'body' that is an object.", line, 'body')
  if (typeof body['model'] !== 'string') return error('model_not_found', NO_MODEL, line, 'body.model')
  return { customId, body }
}

/** Azure takes its endpoints with and without the version. */
export const withoutVersion = (url: string): string => url.replace(/^\/v1(?=\/)/, '')

function parse(row: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(row)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
