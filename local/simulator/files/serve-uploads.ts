import { createHash, randomBytes } from 'node:crypto'
import { newHexId } from '../answer-id'
import { bodyTooLarge, unparsableForm } from '../errors'
import { parseForm } from '../form-body'
import type { JsonObject } from '../json-value'
import { readBytes } from '../request-body'
import { InvalidRequest, readChoice, readList, readNumber, refuse, refuseType, requireField } from '../request-fields'
import { notFoundThing } from '../stored/refusals'
import { readJson, sendObject, type ServeStored, type StoredCall } from '../stored/stored-call'
import { keepFile, lookAtFile } from './keep-file'
import { fileBytesMax, fileObject, uploadPurposes } from './stored-file'
import { uploadStatus, type StoredUpload } from './stored-upload'

const PART_BYTES_MAX = 64 * 1_024 * 1_024
const FORM_BYTES = 1_024 * 1_024
const PARTS_MAX = 1_000
const LIFETIME_MS = 3_600_000

export const createUpload: ServeStored = async (call) => {
  const body = await readJson(call)
  if (body === undefined) return
  for (const name of ['purpose', 'filename', 'bytes', 'mime_type']) requireField(body[name], name)
  const purpose = readChoice(body['purpose'], 'purpose', uploadPurposes)
  const { filename } = body
  if (typeof filename !== 'string') return refuseType('filename', 'a string', filename)
  const bytes = readNumber(body['bytes'], 'bytes', { whole: true, min: 1, max: fileBytesMax(purpose) }) ?? 0
  const createdAt = Date.now()
  const upload: StoredUpload = {
    id: newHexId('upload_', 32),
    filename,
    purpose,
    bytes,
    createdAt,
    expiresAt: createdAt + LIFETIME_MS,
    parts: new Map(),
    state: { kind: 'pending' },
  }
  call.store.uploads.set(upload.id, upload)
  sendObject(call, uploadObject(upload, createdAt))
}

export const addPart: ServeStored = async (call) => {
  const upload = pendingUpload(call)
  const body = await readBytes(call.request, PART_BYTES_MAX + FORM_BYTES)
  if (body.kind === 'gone') return
  if (body.kind === 'too-large') return call.exchange.refuse(bodyTooLarge)
  const form = parseForm(call.request.headers['content-type'], body.bytes)
  if (form === undefined) return call.exchange.refuse(unparsableForm)
  const data = form.files.find(({ name }) => name === 'data')
  if (data === undefined) return refuse("Missing required parameter: 'data'.", 'data', 'missing_required_parameter')
  if (data.bytes.length > PART_BYTES_MAX || upload.parts.size >= PARTS_MAX) {
    return refuse(
      `A part has at most ${PART_BYTES_MAX} bytes, and an upload at most ${PARTS_MAX} parts.`,
      'data',
      'part_too_large',
    )
  }
  const id = newHexId('uplprt-', 32)
  upload.parts.set(id, Buffer.from(data.bytes))
  sendObject(call, {
    id,
    object: 'upload.part',
    created_at: Math.floor(Date.now() / 1_000),
    upload_id: upload.id,
    azure_block_id: randomBytes(18).toString('base64'),
  })
}

/** Puts the parts together in the order in which they are named. */
export const completeUpload: ServeStored = async (call) => {
  const upload = pendingUpload(call)
  const body = await readJson(call)
  if (body === undefined) return
  const ids = readList(body['part_ids'], 'part_ids', 'strings', PARTS_MAX)
  const parts = ids.map((id, index) => {
    const part = typeof id === 'string' ? upload.parts.get(id) : undefined
    return part ?? refuse(`Invalid 'part_ids[${index}]': no such part.`, `part_ids[${index}]`, 'invalid_value')
  })
  const bytes = Buffer.concat(parts)
  if (bytes.length !== upload.bytes) {
    const text = `The parts have ${bytes.length} bytes, but the upload was created for ${upload.bytes}.`
    return refuse(text, 'part_ids', 'invalid_value')
  }
  const { md5 } = body
  if (typeof md5 === 'string' && md5.toLowerCase() !== createHash('md5').update(bytes).digest('hex')) {
    return refuse("Invalid 'md5': the parts have another checksum.", 'md5', 'invalid_value')
  }
  const now = Date.now()
  const { filename, purpose } = upload
  const file = keepFile(call, { filename, purpose, bytes, expiresAfterSeconds: undefined }, now)
  lookAtFile(call, file)
  upload.state = { kind: 'completed', file }
  upload.parts.clear()
  sendObject(call, uploadObject(upload, now))
}

export const cancelUpload: ServeStored = (call) => {
  const upload = pendingUpload(call)
  upload.state = { kind: 'cancelled' }
  upload.parts.clear()
  sendObject(call, uploadObject(upload, Date.now()))
}

function uploadObject(upload: StoredUpload, now: number): JsonObject {
  const { id, filename, purpose, bytes, createdAt, expiresAt, state } = upload
  return {
    id,
    object: 'upload',
    bytes,
    created_at: Math.floor(createdAt / 1_000),
    filename,
    purpose,
    status: uploadStatus(upload, now),
    expires_at: Math.floor(expiresAt / 1_000),
    ...(state.kind === 'completed' ? { file: fileObject(state.file, now) } : {}),
  }
}

function pendingUpload({ store, route }: StoredCall): StoredUpload {
  const upload = store.uploads.get(route.id ?? '')
  if (upload === undefined) throw new InvalidRequest(notFoundThing(route.family, 'Upload', route.id ?? ''))
  const status = uploadStatus(upload, Date.now())
  return status === 'pending' ? upload : refuse(`The upload is ${status}.`, 'upload_id', 'invalid_value')
}
