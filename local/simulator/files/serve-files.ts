import { bodyTooLarge, unparsableForm } from '../errors'
import { parseForm } from '../form-body'
import { readBytes } from '../request-body'
import { InvalidRequest, readChoice, refuse, requireField } from '../request-fields'
import type { AccountStore } from '../stored/account-store'
import { readPage } from '../stored/page'
import { inUse, notFoundThing } from '../stored/refusals'
import { sendContent, sendCreated, sendObject, type ServeStored, type StoredCall } from '../stored/stored-call'
import { FILES_MAX, forgetExpired, keepFile, lookAtFile, readExpiry } from './keep-file'
import { checkUploadRate } from './upload-rate'
import { FILE_BYTES_MAX, fileObject, uploadPurposes, type StoredFile } from './stored-file'

/** Room for the other fields of a form and what divides them. */
const FORM_BYTES = 1_024 * 1_024
const PAGE = { limitDefault: FILES_MAX, limitMax: FILES_MAX }

export const createFile: ServeStored = async (call) => {
  const { request, exchange, resource, store } = call
  checkUploadRate(store, resource.config.files.uploadsPerSecond, Date.now())
  const body = await readBytes(request, FILE_BYTES_MAX + FORM_BYTES)
  if (body.kind === 'gone') return
  if (body.kind === 'too-large') return exchange.refuse(bodyTooLarge)
  const form = parseForm(request.headers['content-type'], body.bytes)
  if (form === undefined) return exchange.refuse(unparsableForm)
  const field = (name: string) => form.fields.get(name)?.at(-1)
  requireField(field('purpose'), 'purpose')
  const purpose = readChoice(field('purpose'), 'purpose', uploadPurposes)
  const sent = form.files.find(({ name }) => name === 'file')
  if (sent === undefined) return refuse("Missing required parameter: 'file'.", 'file', 'missing_required_parameter')
  // SDKs write brackets, Azure's own examples a dot.
  const option = (name: string) => field(`expires_after[${name}]`) ?? field(`expires_after.${name}`)
  const expiresAfterSeconds = readExpiry(option('seconds'), option('anchor'))
  const now = Date.now()
  // A copy: the file stays, and the body that it came in must not.
  const bytes = Buffer.from(sent.bytes)
  const file = keepFile(call, { filename: sent.filename, purpose, bytes, expiresAfterSeconds }, now)
  lookAtFile(call, file)
  sendCreated(call, fileObject(file, now))
}

export const listFiles: ServeStored = (call) => {
  const now = Date.now()
  forgetExpired(call.store, now)
  const purpose = call.route.query.get('purpose')
  const files = [...call.store.files.values()].filter((file) => purpose === null || file.purpose === purpose)
  const page = readPage(call.route.query, files, PAGE)
  sendObject(call, { ...page, data: page.data.map((file) => fileObject(file, now)) })
}

export const retrieveFile: ServeStored = (call) => sendObject(call, fileObject(foundFile(call), Date.now()))

export const fileContent: ServeStored = (call) => sendContent(call, foundFile(call).bytes)

export const deleteFile: ServeStored = (call) => {
  const { id } = foundFile(call)
  const reader = call.resource.config.fineTuning.filesInUse === 'kept' ? readerOf(call.store, id) : undefined
  if (reader !== undefined) {
    throw new InvalidRequest(inUse(call.route.family, `The file '${id}' is in use by the job '${reader}'.`))
  }
  call.store.files.delete(id)
  sendObject(call, { id, object: 'file', deleted: true })
}

/** The unfinished job that reads a file. */
function readerOf({ jobs }: AccountStore, fileId: string): string | undefined {
  const reads = [...jobs.values()].filter(
    ({ isOver, order }) => !isOver && (order.trainingFileId === fileId || order.validationFileId === fileId),
  )
  return reads[0]?.id
}

function foundFile({ store, route, exchange }: StoredCall): StoredFile {
  forgetExpired(store, Date.now())
  const file = store.files.get(route.id ?? '')
  if (file === undefined) throw new InvalidRequest(notFoundThing(route.family, 'File', route.id ?? ''))
  exchange.record.answerId = file.id
  return file
}
