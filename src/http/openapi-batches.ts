import { z } from 'zod'
import { batchEndpoints } from '../batches/batch-endpoint'
import { batchStatuses } from '../batches/batch-record'
import { expirySeconds } from '../files/file-bounds'
import { inQuery, type StoredDescription } from './openapi-stored'

const id = z.string().meta({ examples: ['batch_01jcv9x2q3r4s5t6v7w8x9y0z1'] })
const fileId = z.string().meta({ examples: ['file-01jcv9x2q3r4s5t6v7w8x9y0z1'] })
const time = z.int().nullable().meta({ description: 'Unix seconds.' })
const metadata = z.record(z.string().max(64), z.string().max(512))

const fault = z
  .object({
    code: z.string().meta({ examples: ['duplicate_custom_id'] }),
    message: z.string(),
    param: z.string().nullable(),
    line: z.int().nullable().meta({ description: 'Of the input file, from 1.' }),
  })
  .meta({ id: 'BatchFault' })

const batch = z
  .object({
    id,
    object: z.literal('batch'),
    endpoint: z.enum(batchEndpoints),
    model: z.string().optional(),
    errors: z.object({ object: z.literal('list'), data: z.array(fault) }).nullable(),
    input_file_id: fileId,
    completion_window: z.literal('24h'),
    status: z.enum(batchStatuses),
    output_file_id: fileId.nullable().meta({ description: 'Answers, once the batch is over.' }),
    error_file_id: fileId.nullable().meta({ description: 'Requests that failed, once the batch is over.' }),
    created_at: z.int(),
    in_progress_at: time,
    expires_at: time,
    finalizing_at: time,
    completed_at: time,
    failed_at: time,
    expired_at: time,
    cancelling_at: time,
    cancelled_at: time,
    request_counts: z.object({ total: z.int(), completed: z.int(), failed: z.int() }),
    metadata: metadata.nullable(),
  })
  .meta({ id: 'Batch' })

const batches = z
  .object({
    object: z.literal('list'),
    data: z.array(batch),
    first_id: id.nullable(),
    last_id: id.nullable(),
    has_more: z.boolean(),
  })
  .meta({ id: 'Batches' })

const seconds = z
  .int()
  .min(expirySeconds.min)
  .max(expirySeconds.max)
  .meta({ examples: [1_209_600] })

/** Batches, as OpenAI and Azure OpenAI have them. */
export const batchDescriptions: readonly StoredDescription[] = [
  {
    name: 'batches.create',
    method: 'post',
    path: '/batches',
    summary: 'Runs a file of requests within a day or so, at half the price of calls.',
    request: {
      type: 'application/json',
      body: z.object({
        input_file_id: fileId,
        endpoint: z.enum(batchEndpoints),
        completion_window: z.literal('24h'),
        model: z
          .string()
          .optional()
          .meta({ description: 'An alias of yours that serves batches; every line names it.' }),
        metadata: metadata.nullable().optional(),
        output_expires_after: z
          .object({ anchor: z.literal('created_at'), seconds })
          .nullable()
          .optional(),
      }),
    },
    answer: batch,
  },
  {
    name: 'batches.list',
    method: 'get',
    path: '/batches',
    summary: 'Lists the tenant’s batches, the newest first.',
    query: [
      inQuery('limit', 'Batches of one answer; 20 by default.', { type: 'integer', minimum: 1, maximum: 100 }),
      inQuery('after', 'The id behind which the list goes on.', { type: 'string' }),
    ],
    answer: batches,
  },
  { name: 'batches.get', method: 'get', path: '/batches/{id}', summary: 'How far a batch is.', answer: batch },
  {
    name: 'batches.cancel',
    method: 'post',
    path: '/batches/{id}/cancel',
    summary: 'Ends a batch; what was answered until then is in its files.',
    answer: batch,
  },
]
