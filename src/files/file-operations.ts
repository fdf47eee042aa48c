import type { Clock } from '../base/clock'
import { parseFileId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Answer } from '../inference/answer'
import { jsonAnswer, notFoundObject, type StoredOperation, type StoredRequest } from '../inference/stored-operation'
import { inTimeOf, tooLarge, type Draft, type Drafts } from './drafts'
import { DRAFT_MS_MAX, FILE_BYTES_MAX, FILES_PAGE_DEFAULT, FILES_PAGE_MAX, READS_AT_ONCE_MAX } from './file-bounds'
import { filePurposes, fileView, uploadPurposes, type FileRecord } from './file-record'
import type { Files } from './files'
import { invalid, readExpiry, readFilename, readPurpose } from './read-fields'
import { readForm } from './read-form'
import { Slots } from './slots'

/** `/files` of both families. Source: Azure OpenAI's v1 specification and that of 2024-10-21. */
export function createFileOperations({
  files,
  drafts,
  clock,
}: {
  files: Files
  drafts: Drafts
  clock: Clock
}): readonly StoredOperation[] {
  const reads = new Slots(READS_AT_ONCE_MAX)
  return [
    {
      name: 'files.create',
      method: 'POST',
      path: '/files',
      serve: (request) => createFile({ drafts, clock }, request),
    },
    { name: 'files.list', method: 'GET', path: '/files', serve: (request) => listFiles(files, request) },
    { name: 'files.import', method: 'POST', path: '/files/import', serve: async () => noImport },
    {
      name: 'files.retrieve',
      method: 'GET',
      path: '/files/{id}',
      serve: async ({ scope, params: { id = '' } }) => {
        const fileId = parseFileId(id)
        const file = fileId && (await files.get(scope, fileId))
        return file ? jsonAnswer(fileView(file)) : notFoundObject('file', id)
      },
    },
    {
      name: 'files.delete',
      method: 'DELETE',
      path: '/files/{id}',
      serve: async ({ scope, params: { id = '' } }) => {
        const fileId = parseFileId(id)
        const isRemoved = fileId !== undefined && (await files.remove(scope, fileId))
        return isRemoved ? jsonAnswer({ id, object: 'file', deleted: true }) : notFoundObject('file', id)
      },
    },
    {
      name: 'files.content',
      method: 'GET',
      path: '/files/{id}/content',
      serve: (request) => fileContent(files, reads, request),
    },
  ]
}

/** Room for the other fields of a form and what divides them. */
export const FORM_BYTES = 1024 * 1024

const noImport = new Problem(
  'invalid_request',
  'Files are not imported by their address: the platform fetches nothing for its callers. Send the file itself to /files.',
)

/** The content goes through while it comes; what describes it may stand before or behind it. */
async function createFile(
  { drafts, clock }: { drafts: Drafts; clock: Clock },
  request: StoredRequest,
): Promise<Answer | Problem> {
  const declared = declaredBytes(request)
  if (declared !== undefined && declared > FILE_BYTES_MAX + FORM_BYTES) return tooLarge(FILE_BYTES_MAX, 'file')
  const fields: Partial<Record<FieldName, string>> = {}
  let sent: { draft: Draft; filename: string } | undefined
  try {
    for await (const part of readForm(bodyInTime(request, clock), request.headers.get('content-type'))) {
      if (part.kind === 'field') {
        const name = fieldNames.find((known) => known === part.name)
        if (!name) continue
        fields[name] ??= part.value
        const problem = name === 'purpose' ? readPurpose(part.value) : undefined
        if (problem instanceof Problem) return problem
        continue
      }
      if (part.name !== 'file') return invalid(part.name.slice(0, 64), "The form takes one file, in the field 'file'.")
      if (sent) return invalid('file', "The form has more than one 'file'.")
      const filename = readFilename(part.filename, 'file')
      if (filename instanceof Problem) return filename
      const draft = await drafts.begin(request.scope, { bytesAtMost: declared })
      if (draft instanceof Problem) return draft
      sent = { draft, filename }
      const purpose = uploadPurposes.find((known) => known === fields.purpose)
      const problem = await draft.write(part.content, purpose)
      if (problem) return problem
    }
    const purpose = fields.purpose === undefined ? missing('purpose') : readPurpose(fields.purpose)
    if (purpose instanceof Problem) return purpose
    if (!sent) return missing('file')
    const expiresAfterSeconds = readExpiry(
      fields['expires_after[seconds]'] ?? fields['expires_after.seconds'],
      fields['expires_after[anchor]'] ?? fields['expires_after.anchor'],
    )
    if (expiresAfterSeconds instanceof Problem) return expiresAfterSeconds
    const { filename, draft } = sent
    const createdBy = request.caller.callerId
    const file = await draft.finish({ filename, purpose, expiresAfterSeconds, createdBy })
    return file instanceof Problem ? file : created(request, file)
  } finally {
    await sent?.draft.abandon()
  }
}

/** SDKs write brackets, Azure's own examples a dot. */
const fieldNames = [
  'purpose',
  'expires_after[seconds]',
  'expires_after[anchor]',
  'expires_after.seconds',
  'expires_after.anchor',
] as const
type FieldName = (typeof fieldNames)[number]

const missing = (field: string) => invalid(field, `The form has no field '${field}'.`)

/** Dated versions of Azure's API answer 201 and say where the file is. */
function created({ family, apiVersion }: StoredRequest, file: FileRecord): Answer {
  const isDated = family !== 'v1' && apiVersion !== undefined && /^\d/.test(apiVersion)
  if (!isDated) return jsonAnswer(fileView(file))
  const answer = jsonAnswer(fileView(file), 201)
  return { ...answer, headers: { ...answer.headers, location: `/openai/files/${file.id}?api-version=${apiVersion}` } }
}

/** However slowly a client sends, its form ends. */
export const bodyInTime = (request: StoredRequest, clock: Clock) =>
  inTimeOf(request.bytes(), clock, clock.monotonicMs() + DRAFT_MS_MAX)

export function declaredBytes({ headers }: StoredRequest): number | undefined {
  const declared = headers.get('content-length')
  return declared !== null && /^\d{1,15}$/.test(declared) ? Number(declared) : undefined
}

async function listFiles(files: Files, { scope, query }: StoredRequest): Promise<Answer | Problem> {
  const limit = query.get('limit') ?? String(FILES_PAGE_DEFAULT)
  if (!/^\d{1,5}$/.test(limit) || Number(limit) < 1 || Number(limit) > FILES_PAGE_MAX)
    return invalid('limit', `'limit' must be a whole number from 1 to ${FILES_PAGE_MAX}.`)
  const order = query.get('order') ?? 'desc'
  if (order !== 'asc' && order !== 'desc') return invalid('order', "'order' must be 'asc' or 'desc'.")
  const purpose = query.get('purpose') ?? undefined
  if (purpose !== undefined && !filePurposes.some((known) => known === purpose))
    return invalid('purpose', `'purpose' must be one of ${filePurposes.join(', ')}.`)
  const after = query.get('after')
  const afterId = after === null ? undefined : parseFileId(after)
  if (after !== null && !afterId) return invalid('after', "'after' must be the id of a file.")
  const page = await files.list(scope, { limit: Number(limit), order, purpose, after: afterId })
  return jsonAnswer({
    object: 'list',
    data: page.files.map(fileView),
    has_more: page.hasMore,
    first_id: page.files.at(0)?.id ?? null,
    last_id: page.files.at(-1)?.id ?? null,
  })
}

async function fileContent(files: Files, reads: Slots, request: StoredRequest): Promise<Answer | Problem> {
  const { id = '' } = request.params
  const fileId = parseFileId(id)
  const found = fileId && (await files.read(request.scope, fileId))
  if (!found) return notFoundObject('file', id)
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(found.record.bytes) },
    body: paced(found.content, reads, request),
  }
}

/** A chunk at a time, as the client takes them: the server would hold in memory whatever it is handed (I14). */
async function* paced(content: AsyncIterable<Buffer>, reads: Slots, { gone, taken }: StoredRequest) {
  const release = await reads.take()
  try {
    for await (const chunk of content) {
      if (gone?.hasGone) return
      yield chunk
      await taken?.()
    }
  } finally {
    release()
  }
}
