import { trainingFileFault } from '../fine-tuning/training-file-fault'
import { InvalidRequest, refuse } from '../request-fields'
import { quotaExceeded } from '../stored/refusals'
import type { AccountStore } from '../stored/account-store'
import type { StoredCall } from '../stored/stored-call'
import { expirySeconds, fileBytesMax, newFileId, type StoredFile } from './stored-file'

/** Azure's bounds: files for training, inputs of batches that never expire, and those of all purposes. */
const TRAINING_FILES_MAX = 100
const UNEXPIRING_BATCH_FILES_MAX = 500
export const FILES_MAX = 10_000
/** The simulator's own: files are kept in memory. */
const STORED_BYTES_MAX = 4 * 1_024 * 1_024 * 1_024

export interface NewFile {
  readonly filename: string
  readonly purpose: string
  readonly bytes: Buffer
  readonly expiresAfterSeconds: number | undefined
}

/** Keeps what a caller sent. Throws InvalidRequest where a bound of the service is met. */
export function keepFile({ store, resource }: StoredCall, file: NewFile, now: number): StoredFile {
  const { filename, purpose, bytes, expiresAfterSeconds } = file
  if (bytes.length > fileBytesMax(purpose)) {
    const bytesMax = fileBytesMax(purpose)
    refuse(`The file is too large: ${bytes.length} bytes. The maximum is ${bytesMax} bytes.`, 'file', 'file_too_large')
  }
  forgetExpired(store, now)
  checkRoom(store, file)
  const full = trainingBytesFault({ store, resource }, file)
  if (full !== undefined) throw new InvalidRequest(quotaExceeded(full))
  const kept: StoredFile = {
    id: newFileId('caller'),
    filename,
    purpose,
    bytes,
    createdAt: now,
    expiresAt: expiresAfterSeconds === undefined ? undefined : now + expiresAfterSeconds * 1_000,
    processedAt: now + resource.config.files.processingMs,
  }
  store.files.set(kept.id, kept)
  return kept
}

/** What of the training files is full with this one more; undefined while there is room. */
export function trainingBytesFault(
  { store, resource }: Pick<StoredCall, 'store' | 'resource'>,
  { purpose, bytes }: Pick<NewFile, 'purpose' | 'bytes'>,
): string | undefined {
  if (purpose !== 'fine-tune') return undefined
  const { trainingBytesMax } = resource.config.files
  const others = [...store.files.values()].filter((file) => file.purpose === purpose)
  const total = others.reduce((sum, file) => sum + file.bytes.length, bytes.length)
  return total > trainingBytesMax ? `${trainingBytesMax} bytes of training files` : undefined
}

/** Has a file of training data looked at by itself, where faulty ones are errors by themselves. */
export function lookAtFile({ resource }: Pick<StoredCall, 'resource'>, file: StoredFile): void {
  if (file.purpose !== 'fine-tune' || resource.config.fineTuning.faultyFiles !== 'are-errors') return
  const { processedAt } = file
  file.processedAt = Number.POSITIVE_INFINITY
  void trainingFileFault(file.bytes).then((fault) => {
    if (fault !== undefined) file.failure = fault
    file.processedAt = Math.max(processedAt, Date.now())
  })
}

function checkRoom({ files }: AccountStore, { purpose, expiresAfterSeconds, bytes }: NewFile): void {
  const all = [...files.values()]
  const same = all.filter((file) => file.purpose === purpose)
  const full = (what: string) => new InvalidRequest(quotaExceeded(what))
  if (purpose === 'fine-tune' && same.length >= TRAINING_FILES_MAX) throw full(`${TRAINING_FILES_MAX} training files`)
  const unexpiring = same.filter(({ expiresAt }) => expiresAt === undefined).length
  if (purpose === 'batch' && expiresAfterSeconds === undefined && unexpiring >= UNEXPIRING_BATCH_FILES_MAX) {
    throw full(`${UNEXPIRING_BATCH_FILES_MAX} batch files without expiry`)
  }
  if (all.length >= FILES_MAX) throw full(`${FILES_MAX} files`)
  const bytesKept = all.reduce((sum, file) => sum + file.bytes.length, 0)
  if (bytesKept + bytes.length > STORED_BYTES_MAX) throw full(`${STORED_BYTES_MAX} bytes`)
}

/** What is past its time is not there any more. */
export function forgetExpired({ files }: AccountStore, now: number): void {
  for (const { id, expiresAt } of files.values()) {
    if (expiresAt !== undefined && expiresAt <= now) files.delete(id)
  }
}

/** Seconds after which a file expires; undefined where the caller named none. Throws InvalidRequest. */
export function readExpiry(seconds: unknown, anchor: unknown): number | undefined {
  if (seconds === undefined || seconds === null) return undefined
  const { min, max } = expirySeconds
  const count = Number(seconds)
  if (!Number.isInteger(count) || count < min || count > max) {
    refuse(
      `Invalid 'expires_after.seconds': expected a value from ${min} to ${max}.`,
      'expires_after.seconds',
      'invalid_value',
    )
  }
  if (anchor !== 'created_at') {
    refuse("Invalid 'expires_after.anchor': expected 'created_at'.", 'expires_after.anchor', 'invalid_value')
  }
  return count
}
