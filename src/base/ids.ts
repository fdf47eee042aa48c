import type { Chance } from './chance'
import type { Clock } from './clock'

/**
 * Identifiers are `<prefix>_<26 characters>`: 48 bits of time and 80 bits of chance in lower-case Crockford base 32,
 * so they sort by age, survive being a table key or a blob name, and cannot be guessed.
 */
export type TenantId = `ten_${string}`
export type KeyId = `key_${string}`
/** Stands for a user or an application of an Entra directory. */
export type EntraId = `ent_${string}`
/** What usage and limits name a caller by. */
export type CallerId = KeyId | EntraId
export type CallId = `call_${string}`
export type BackendId = `bke_${string}`
export type InstanceId = `ins_${string}`
export type StampId = `stm_${string}`
/** Of files, uploads and their parts, spelt as OpenAI spells them. */
export type FileId = `file-${string}`
export type UploadId = `upload_${string}`
export type UploadPartId = `uplprt-${string}`
export type BatchId = `batch_${string}`
export type ResponseId = `resp_${string}`
/** Of a fine-tuning job, spelt as OpenAI spells it. */
export type TuningJobId = `ftjob-${string}`
/** Of a file that is kept as training or validation data. */
export type DatasetId = `dts_${string}`
/** Of a file that its client writes by a link. */
export type LinkUploadId = `upl_${string}`
/** Of one version of a tuned model. */
export type ModelId = `mdl_${string}`
/** A time in which an objective of a tenant’s was broken. */
export type IncidentId = `inc_${string}`
/** An announced maintenance. */
export type MaintenanceId = `mnt_${string}`
/** A run of a checklist: an onboarding, an offboarding, a move, a rotation of a tenant's data key or of an account's keys, a promotion, an evaluation. */
export type OperationId = `${OperationPrefix}_${string}`

export const operationPrefixes = [
  'onb',
  'off',
  'mov',
  'rot',
  'prm',
  'evl',
  'hos',
  'shm',
  'shr',
  'rst',
  'cpy',
  'rbd',
  'krt',
] as const
export type OperationPrefix = (typeof operationPrefixes)[number]
/** Of an evaluation of a tuned model, by itself or as a stage of a job. */
export type EvaluationId = `evl_${string}`

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
/** Of an id, behind its prefix. */
export const idBody = '[0-9a-hjkmnp-tv-z]{26}'
const BODY = new RegExp(`^${idBody}$`)
const TIME_CHARACTERS = 10
const CHANCE_BYTES = 10

export interface IdMaker {
  tenantId(): TenantId
  keyId(): KeyId
  callId(): CallId
  backendId(): BackendId
  instanceId(): InstanceId
  stampId(): StampId
  fileId(): FileId
  uploadId(): UploadId
  uploadPartId(): UploadPartId
  batchId(): BatchId
  responseId(): ResponseId
  tuningJobId(): TuningJobId
  datasetId(): DatasetId
  linkUploadId(): LinkUploadId
  maintenanceId(): MaintenanceId
  operationId(prefix: OperationPrefix): OperationId
}

export function createIdMaker({ clock, chance }: { clock: Clock; chance: Chance }): IdMaker {
  const body = () => encodeTime(clock.now()) + encodeBase32(chance.bytes(CHANCE_BYTES))
  return {
    tenantId: () => `ten_${body()}`,
    keyId: () => `key_${body()}`,
    callId: () => `call_${body()}`,
    backendId: () => `bke_${body()}`,
    instanceId: () => `ins_${body()}`,
    stampId: () => `stm_${body()}`,
    fileId: () => `file-${body()}`,
    uploadId: () => `upload_${body()}`,
    uploadPartId: () => `uplprt-${body()}`,
    batchId: () => `batch_${body()}`,
    responseId: () => `resp_${body()}`,
    tuningJobId: () => `ftjob-${body()}`,
    datasetId: () => `dts_${body()}`,
    linkUploadId: () => `upl_${body()}`,
    maintenanceId: () => `mnt_${body()}`,
    operationId: (prefix) => `${prefix}_${body()}`,
  }
}

export const parseTenantId = (text: string) => parseId<TenantId>('ten_', text)
export const parseKeyId = (text: string) => parseId<KeyId>('key_', text)
export const parseBackendId = (text: string) => parseId<BackendId>('bke_', text)
export const parseResponseId = (text: string) => parseId<ResponseId>('resp_', text)
export const parseTuningJobId = (text: string) => parseId<TuningJobId>('ftjob-', text)
export const parseEvaluationId = (text: string) => parseId<EvaluationId>('evl_', text)
export const parseDatasetId = (text: string) => parseId<DatasetId>('dts_', text)
export const parseLinkUploadId = (text: string) => parseId<LinkUploadId>('upl_', text)
export const parseModelId = (text: string) => parseId<ModelId>('mdl_', text)
export const parseBatchId = (text: string) => parseId<BatchId>('batch_', text)
export const parseStampId = (text: string) => parseId<StampId>('stm_', text)
export const parseFileId = (text: string) => parseId<FileId>('file-', text)
export const parseUploadId = (text: string) => parseId<UploadId>('upload_', text)
export const parseIncidentId = (text: string) => parseId<IncidentId>('inc_', text)
export const parseMaintenanceId = (text: string) => parseId<MaintenanceId>('mnt_', text)
export const parseUploadPartId = (text: string) => parseId<UploadPartId>('uplprt-', text)

export const parseOperationId = (text: string) =>
  operationPrefixes.map((prefix) => parseId<OperationId>(`${prefix}_`, text)).find((id) => id !== undefined)

/** When an id was made, Unix milliseconds. */
export function idTimeMs(id: TenantId | ResponseId): number {
  const from = id.indexOf('_') + 1
  let timeMs = 0
  for (const character of id.slice(from, from + TIME_CHARACTERS)) timeMs = timeMs * 32 + ALPHABET.indexOf(character)
  return timeMs
}

function parseId<Id extends string>(prefix: string, text: string): Id | undefined {
  return text.startsWith(prefix) && BODY.test(text.slice(prefix.length)) ? (text as Id) : undefined
}

/** Ids sort by age; with each character's counterpart they sort by youth, so that a list which is named by these begins with the newest. */
export const counterpartOf = (body: string): string =>
  body.replaceAll(/./g, (character) => ALPHABET.charAt(ALPHABET.length - 1 - ALPHABET.indexOf(character)))

/** The beginning of the bodies of ids that are made at a time, Unix milliseconds. */
export function encodeTime(timeMs: number): string {
  let rest = timeMs
  let text = ''
  for (let i = 0; i < TIME_CHARACTERS; i++) {
    text = ALPHABET.charAt(rest % 32) + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** 5 bits a character; `bytes.length` must be a multiple of 5. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET.charAt((buffer >> bits) & 31)
    }
    buffer &= (1 << bits) - 1
  }
  return text
}
