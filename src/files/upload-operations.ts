import { parseUploadId, parseUploadPartId, type UploadId } from '../base/ids'
import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { Answer } from '../inference/answer'
import type { Body } from '../inference/operation'
import { jsonAnswer, notFoundObject, type StoredOperation, type StoredRequest } from '../inference/stored-operation'
import { tooLarge } from './drafts'
import { fileBytesMax, PART_BYTES_MAX, PARTS_MAX } from './file-bounds'
import { bodyInTime, declaredBytes, FORM_BYTES } from './file-operations'
import { invalid, readCount, readExpiry, readFilename, readPurpose } from './read-fields'
import { readForm } from './read-form'
import { uploadPartView, uploadView } from './upload-record'
import type { CompleteOrder, NewUpload, Uploads } from './uploads'

/** `/uploads` of both families. Source: OpenAI's Uploads API, as Azure OpenAI has it. */
export function createUploadOperations({
  uploads,
  clock,
}: {
  uploads: Uploads
  clock: Clock
}): readonly StoredOperation[] {
  const ofUpload =
    (serve: (request: StoredRequest, id: UploadId) => Promise<Answer | Problem>) => async (request: StoredRequest) => {
      const { id = '' } = request.params
      const uploadId = parseUploadId(id)
      return uploadId ? serve(request, uploadId) : notFoundObject('upload', id)
    }
  return [
    {
      name: 'uploads.create',
      method: 'POST',
      path: '/uploads',
      serve: async (request) => {
        const body = await request.readJson()
        const wanted = body instanceof Problem ? body : readUpload(body)
        if (wanted instanceof Problem) return wanted
        const upload = await uploads.create(request.scope, { ...wanted, createdBy: request.caller.callerId })
        return upload instanceof Problem ? upload : jsonAnswer(uploadView(upload, clock.now()))
      },
    },
    {
      name: 'uploads.parts.create',
      method: 'POST',
      path: '/uploads/{id}/parts',
      serve: ofUpload((request, id) => addPart({ uploads, clock }, request, id)),
    },
    {
      name: 'uploads.complete',
      method: 'POST',
      path: '/uploads/{id}/complete',
      serve: ofUpload(async (request, id) => {
        const body = await request.readJson()
        const order = body instanceof Problem ? body : readOrder(body)
        if (order instanceof Problem) return order
        const done = await uploads.complete(request.scope, id, order)
        return done instanceof Problem ? done : jsonAnswer(uploadView(done.upload, clock.now(), done.file))
      }),
    },
    {
      name: 'uploads.cancel',
      method: 'POST',
      path: '/uploads/{id}/cancel',
      serve: ofUpload(async ({ scope }, id) => {
        const upload = await uploads.cancel(scope, id)
        return upload instanceof Problem ? upload : jsonAnswer(uploadView(upload, clock.now()))
      }),
    },
  ]
}

function readUpload(body: Body): Omit<NewUpload, 'createdBy'> | Problem {
  const purpose = readPurpose(body['purpose'])
  if (purpose instanceof Problem) return purpose
  const filename = readFilename(body['filename'], 'filename')
  if (filename instanceof Problem) return filename
  const bytes = readCount(body['bytes'], 'bytes', { min: 1, max: fileBytesMax(purpose) })
  if (bytes instanceof Problem) return bytes
  if (typeof body['mime_type'] !== 'string') return invalid('mime_type', "'mime_type' must be a string.")
  const expiry = body['expires_after'] ?? {}
  if (typeof expiry !== 'object') return invalid('expires_after', "'expires_after' must be an object.")
  const { seconds, anchor }: { seconds?: unknown; anchor?: unknown } = expiry
  const expiresAfterSeconds = readExpiry(seconds, anchor)
  if (expiresAfterSeconds instanceof Problem) return expiresAfterSeconds
  return { purpose, filename, bytes, expiresAfterSeconds }
}

function readOrder(body: Body): CompleteOrder | Problem {
  const given: unknown = body['part_ids']
  if (!Array.isArray(given) || given.length === 0 || given.length > PARTS_MAX)
    return invalid('part_ids', `'part_ids' must be a list of 1 to ${PARTS_MAX} ids of parts.`)
  const texts: readonly unknown[] = given
  const partIds = texts.flatMap((id) => (typeof id === 'string' ? (parseUploadPartId(id) ?? []) : []))
  const wrong = texts.findIndex((id) => typeof id !== 'string' || !parseUploadPartId(id))
  if (wrong >= 0) return invalid(`part_ids[${wrong}]`, `'part_ids[${wrong}]' is no part of this upload.`)
  const { md5 } = body
  if (md5 === undefined || md5 === null) return { partIds, md5: undefined }
  if (typeof md5 === 'string' && /^[0-9a-f]{32}$/i.test(md5)) return { partIds, md5 }
  return invalid('md5', "'md5' must be 32 hexadecimal digits.")
}

async function addPart(
  { uploads, clock }: { uploads: Uploads; clock: Clock },
  request: StoredRequest,
  id: UploadId,
): Promise<Answer | Problem> {
  if ((declaredBytes(request) ?? 0) > PART_BYTES_MAX + FORM_BYTES) return tooLarge(PART_BYTES_MAX, 'data')
  let answer: Answer | Problem | undefined
  for await (const part of readForm(bodyInTime(request, clock), request.headers.get('content-type'))) {
    if (part.kind === 'field') continue
    if (part.name !== 'data') return invalid(part.name.slice(0, 64), "The form takes one file, in the field 'data'.")
    if (answer) return invalid('data', "The form has more than one 'data'.")
    const added = await uploads.addPart(request.scope, id, part.content)
    if (added instanceof Problem) return added
    answer = jsonAnswer(uploadPartView(id, added, clock.now()))
  }
  return answer ?? invalid('data', "The form has no file 'data'.")
}
