import { resourceNotFound } from '../errors'
import { readChoice, refuse, refuseType, requireField } from '../request-fields'
import { readJson, sendCreated, type ServeStored, type StoredCall } from '../stored/stored-call'
import { keepFile, lookAtFile, trainingBytesFault } from './keep-file'
import { checkUploadRate } from './upload-rate'
import { fileBytesMax, fileObject, uploadPurposes, type StoredFile } from './stored-file'

/** Longer than any file of the maximum takes on one machine. */
const READ_TIMEOUT_MS = 600_000

/**
 * Takes a file from an address, as of a blob with its SAS: the answer comes at once, and the file is pending until it has
 * been read. In the classic family, unless the configuration says that v1 has it too, which its specification does not.
 */
export const importFile: ServeStored = async (call) => {
  const { route, resource } = call
  if (route.family !== 'classic' && !resource.config.files.importOnV1) return call.exchange.refuse(resourceNotFound)
  checkUploadRate(call.store, resource.config.files.uploadsPerSecond, Date.now())
  const body = await readJson(call)
  if (body === undefined) return
  for (const name of ['purpose', 'filename', 'content_url']) requireField(body[name], name)
  const purpose = readChoice(body['purpose'], 'purpose', uploadPurposes)
  const { filename, content_url: address } = body
  if (typeof filename !== 'string') return refuseType('filename', 'a string', filename)
  const url = typeof address === 'string' ? URL.parse(address) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return refuse("Invalid 'content_url': expected an address that can be read.", 'content_url', 'invalid_value')
  }
  const now = Date.now()
  const file = keepFile(call, { filename, purpose, bytes: Buffer.alloc(0), expiresAfterSeconds: undefined }, now)
  file.processedAt = Number.POSITIVE_INFINITY
  sendCreated(call, fileObject(file, now))
  await readInto(call, file, url)
}

async function readInto(call: StoredCall, file: StoredFile, url: URL): Promise<void> {
  const read = await readAll(url, fileBytesMax(file.purpose))
  // How much it is is known now only.
  const full = 'bytes' in read ? trainingBytesFault(call, { ...file, bytes: read.bytes }) : undefined
  if ('failure' in read) file.failure = `fileImportFailed: ${read.failure}`
  else if (full !== undefined) file.failure = `quotaExceeded: The resource holds no more than ${full}.`
  else file.bytes = read.bytes
  file.processedAt = Date.now() + call.resource.config.files.processingMs
  if (file.failure === undefined) lookAtFile(call, file)
}

/** All that an address gives, up to a bound. */
async function readAll(url: URL, bytesMax: number): Promise<{ bytes: Buffer } | { failure: string }> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(READ_TIMEOUT_MS) })
    if (!answer.ok) {
      await answer.body?.cancel()
      return { failure: `The content at the given address could not be read: it answered ${answer.status}.` }
    }
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of answer.body ?? []) {
      bytes += chunk.length
      if (bytes > bytesMax) return { failure: `The content has more than ${bytesMax} bytes.` }
      chunks.push(chunk)
    }
    return { bytes: Buffer.concat(chunks) }
  } catch {
    return { failure: 'The content at the given address could not be read.' }
  }
}
