import { Problem } from '../base/problem'
import { parseFileId, type FileId } from '../base/ids'
import { expirySeconds } from '../files/file-bounds'
import { invalid } from '../inference/body-fields'
import type { Body } from '../inference/operation'
import { batchEndpoints, isBatchEndpoint, type BatchEndpoint } from './batch-endpoint'
import type { BatchMetadata } from './batch-store'

/** What a client asks for. Source: OpenAI's `POST /batches`, with Azure's `output_expires_after`. */
export interface BatchOrder {
  readonly inputFileId: string
  readonly endpoint: BatchEndpoint
  readonly model: string | undefined
  readonly metadata: BatchMetadata | undefined
  readonly outputExpiresAfterSeconds: number | undefined
}

/** OpenAI's bounds on metadata. */
const METADATA_PAIRS_MAX = 16
const METADATA_KEY_CHARACTERS_MAX = 64
const METADATA_VALUE_CHARACTERS_MAX = 512
const MODEL_CHARACTERS_MAX = 256

export function readOrder(body: Body, deployment: string | undefined): BatchOrder | Problem {
  const { input_file_id: inputFileId, endpoint, completion_window: window } = body
  // A well-formed id of nobody's is told of like one that was deleted: by whoever looks for the file.
  if (typeof inputFileId !== 'string' || inputFileId === '')
    return invalid('input_file_id', 'must name a file that was uploaded with the purpose "batch"')
  if (!isBatchEndpoint(endpoint)) return invalid('endpoint', `must be one of ${batchEndpoints.join(', ')}`)
  if (window !== '24h') return invalid('completion_window', 'must be "24h"')
  const model = deployment ?? body['model']
  if (model !== undefined && model !== null && (typeof model !== 'string' || model.length > MODEL_CHARACTERS_MAX))
    return invalid('model', 'must name one of your model aliases')
  const metadata = readMetadata(body['metadata'])
  if (metadata instanceof Problem) return metadata
  const outputExpiresAfterSeconds = readExpiry(body['output_expires_after'])
  if (outputExpiresAfterSeconds instanceof Problem) return outputExpiresAfterSeconds
  return { inputFileId, endpoint, model: model ?? undefined, metadata, outputExpiresAfterSeconds }
}

function readMetadata(value: unknown): BatchMetadata | undefined | Problem {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) return invalid('metadata', 'must be an object of texts')
  const pairs = Object.entries(value as Readonly<Record<string, unknown>>)
  if (pairs.length > METADATA_PAIRS_MAX) return invalid('metadata', `has more than ${METADATA_PAIRS_MAX} pairs`)
  const texts: Record<string, string> = {}
  for (const [key, text] of pairs) {
    if (key.length > METADATA_KEY_CHARACTERS_MAX)
      return invalid('metadata', `has a key of more than ${METADATA_KEY_CHARACTERS_MAX} characters`)
    if (typeof text !== 'string' || text.length > METADATA_VALUE_CHARACTERS_MAX)
      return invalid('metadata', `must have texts of up to ${METADATA_VALUE_CHARACTERS_MAX} characters as its values`)
    texts[key] = text
  }
  return texts
}

function readExpiry(value: unknown): number | undefined | Problem {
  if (value === undefined || value === null) return undefined
  const valid = `must be {"seconds", "anchor": "created_at"} with ${expirySeconds.min} to ${expirySeconds.max} seconds`
  if (typeof value !== 'object') return invalid('output_expires_after', valid)
  const { seconds, anchor } = value as Body
  const isValid =
    anchor === 'created_at' &&
    typeof seconds === 'number' &&
    Number.isInteger(seconds) &&
    seconds >= expirySeconds.min &&
    seconds <= expirySeconds.max
  return isValid ? seconds : invalid('output_expires_after', valid)
}

/** An id that no file of ours can have names none. */
export const fileIdOf = (order: BatchOrder): FileId | undefined => parseFileId(order.inputFileId)
