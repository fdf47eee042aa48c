import { Problem } from '../base/problem'
import { parseFileId, type FileId } from '../base/ids'
import { expirySeconds } from '../files/file-bounds'
import { invalid } from '../inference/body-fields'
import type { Body } from '../inference/operation'
import { readMetadata, type Metadata } from '../inference/read-metadata'
import { batchEndpoints, isBatchEndpoint, type BatchEndpoint } from './batch-endpoint'

/** What a client asks for. Source: OpenAI's `POST /batches`, with Azure's `output_expires_after`. */
export interface BatchOrder {
  readonly inputFileId: string
  readonly endpoint: BatchEndpoint
  readonly model: string | undefined
  readonly metadata: Metadata | undefined
  readonly outputExpiresAfterSeconds: number | undefined
}

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
