import { z } from 'zod'
import { expirySeconds, FILES_PAGE_MAX, FILE_BYTES_MAX, PARTS_MAX } from '../files/file-bounds'
import { filePurposes, uploadPurposes } from '../files/file-record'
import { inQuery, type StoredDescription } from './openapi-stored'

const id = z.string().meta({ examples: ['file-01jcv9x2q3r4s5t6v7w8x9y0z1'] })
const time = z.int().meta({ description: 'Unix seconds.' })

const file = z
  .object({
    id,
    object: z.literal('file'),
    bytes: z.int(),
    created_at: time,
    filename: z.string(),
    purpose: z.enum(filePurposes),
    status: z.literal('processed'),
    expires_at: time.optional(),
  })
  .meta({ id: 'File' })

const files = z
  .object({
    object: z.literal('list'),
    data: z.array(file),
    has_more: z.boolean(),
    first_id: id.nullable(),
    last_id: id.nullable(),
  })
  .meta({ id: 'Files' })

const upload = z
  .object({
    id: z.string().meta({ examples: ['upload_01jcv9x2q3r4s5t6v7w8x9y0z1'] }),
    object: z.literal('upload'),
    bytes: z.int(),
    created_at: time,
    filename: z.string(),
    purpose: z.enum(uploadPurposes),
    status: z.enum(['pending', 'completed', 'cancelled', 'expired']),
    expires_at: time.meta({ description: 'Unix seconds, until which parts are taken.' }),
    file: file.optional(),
  })
  .meta({ id: 'Upload' })

const part = z
  .object({ id: z.string(), object: z.literal('upload.part'), created_at: time, upload_id: z.string() })
  .meta({ id: 'UploadPart' })

const binary = z.string().meta({ format: 'binary' })
const purpose = z.enum(uploadPurposes)
const seconds = z
  .int()
  .min(expirySeconds.min)
  .max(expirySeconds.max)
  .meta({ examples: [1_209_600] })
const bytes = z.int().min(1).max(FILE_BYTES_MAX).meta({ description: 'Of the whole file; 200 MB at most for `batch`.' })

/** Files and uploads, as OpenAI and Azure OpenAI have them. */
export const fileDescriptions: readonly StoredDescription[] = [
  {
    name: 'files.create',
    method: 'post',
    path: '/files',
    summary: 'Keeps a file of up to 512 MB (200 MB for `batch`). Larger requests than the host takes come as uploads.',
    request: {
      type: 'multipart/form-data',
      body: z.object({
        purpose,
        file: binary,
        'expires_after[anchor]': z.literal('created_at').optional(),
        'expires_after[seconds]': seconds.optional(),
      }),
    },
    answer: file,
  },
  {
    name: 'files.list',
    method: 'get',
    path: '/files',
    summary: 'Lists the tenant’s files.',
    query: [
      inQuery('purpose', 'Only those.', { type: 'string', enum: filePurposes }),
      inQuery('limit', 'Files of one answer.', { type: 'integer', minimum: 1, maximum: FILES_PAGE_MAX }),
      inQuery('order', 'By time of creation; the newest first by default.', { type: 'string', enum: ['asc', 'desc'] }),
      inQuery('after', 'The id behind which the list goes on.', { type: 'string' }),
    ],
    answer: files,
  },
  { name: 'files.retrieve', method: 'get', path: '/files/{id}', summary: 'What is known of a file.', answer: file },
  {
    name: 'files.delete',
    method: 'delete',
    path: '/files/{id}',
    summary: 'Deletes a file, its content and every copy of it.',
    answer: z.object({ id, object: z.literal('file'), deleted: z.literal(true) }).meta({ id: 'DeletedFile' }),
  },
  {
    name: 'files.content',
    method: 'get',
    path: '/files/{id}/content',
    summary: 'The content of a file.',
    answer: undefined,
  },
  {
    name: 'uploads.create',
    method: 'post',
    path: '/uploads',
    summary: 'Begins a file that comes in parts, within an hour.',
    request: {
      type: 'application/json',
      body: z.object({
        purpose,
        filename: z
          .string()
          .min(1)
          .max(512)
          .meta({ examples: ['lines.jsonl'] }),
        bytes,
        mime_type: z.string().meta({ examples: ['application/jsonl'] }),
        expires_after: z.object({ anchor: z.literal('created_at'), seconds }).optional(),
      }),
    },
    answer: upload,
  },
  {
    name: 'uploads.parts.create',
    method: 'post',
    path: '/uploads/{id}/parts',
    summary: 'Adds a part of up to 64 MB, in any order and several at once.',
    request: { type: 'multipart/form-data', body: z.object({ data: binary }) },
    answer: part,
  },
  {
    name: 'uploads.complete',
    method: 'post',
    path: '/uploads/{id}/complete',
    summary: 'Makes the file of the parts, in the order in which they are named.',
    request: {
      type: 'application/json',
      body: z.object({
        part_ids: z.array(z.string()).min(1).max(PARTS_MAX),
        md5: z.string().optional().meta({ description: 'Of the whole content, in hexadecimal.' }),
      }),
    },
    answer: upload,
  },
  {
    name: 'uploads.cancel',
    method: 'post',
    path: '/uploads/{id}/cancel',
    summary: 'Ends an upload; its parts are deleted.',
    answer: upload,
  },
]
