import { invalidRequest } from '../errors'
import { forgetExpired, readExpiry } from '../files/keep-file'
import { fileStatus, type StoredFile } from '../files/stored-file'
import { isJsonObject, type JsonObject } from '../json-value'
import type { OperationName } from '../model-operations'
import { InvalidRequest, readChoice, refuse, refuseType, requireField } from '../request-fields'
import { readPage } from '../stored/page'
import { notFoundThing } from '../stored/refusals'
import { readJson, sendCreated, sendObject, type ServeStored, type StoredCall } from '../stored/stored-call'
import { readLines, withoutVersion, type ReadLines } from './read-lines'
import { runBatch } from './run-batch'
import { StoredBatch } from './stored-batch'

const endpoints = ['/chat/completions', '/v1/chat/completions', '/responses', '/v1/responses'] as const
const PAGE = { limitDefault: 20, limitMax: 100 }

export const createBatch: ServeStored = async (call) => {
  const body = await readJson(call)
  if (body === undefined) return
  for (const name of ['input_file_id', 'endpoint', 'completion_window']) requireField(body[name], name)
  const endpoint = readChoice(body['endpoint'], 'endpoint', endpoints)
  readChoice(body['completion_window'], 'completion_window', ['24h'])
  const file = inputFile(call, body['input_file_id'])
  const read = readLines(file.bytes, endpoint, call.account)
  checkQuota(call, read)
  const batch = new StoredBatch({
    endpoint,
    operation: withoutVersion(endpoint) === '/responses' ? ('responses' satisfies OperationName) : 'chat',
    inputFileId: file.id,
    metadata: readMetadata(body['metadata']),
    outputExpiresAfterSeconds: readOutputExpiry(body['output_expires_after']),
    clientRequestId: call.exchange.record.clientRequestId,
    deployment: read.kind === 'lines' ? read.deployment.name : undefined,
    enqueuedTokens: read.kind === 'lines' ? read.enqueuedTokens : 0,
  })
  call.store.batches.set(batch.id, batch)
  sendCreated(call, { ...batch.object(), id: batch.id })
  runBatch({ ...call, batch }, read)
}

export const listBatches: ServeStored = (call) => {
  const page = readPage(call.route.query, [...call.store.batches.values()], PAGE)
  sendObject(call, { ...page, data: page.data.map((batch) => batch.object()) })
}

export const retrieveBatch: ServeStored = (call) => sendObject(call, foundBatch(call).object())

/** Lines that were begun are finished and charged; their answers are kept. */
export const cancelBatch: ServeStored = (call) => {
  const batch = foundBatch(call)
  if (batch.isOver) {
    const message = `Cannot cancel a batch with status '${batch.status}'.`
    throw new InvalidRequest(invalidRequest(message, { status: 409 }))
  }
  if (batch.status !== 'finalizing') batch.become('cancelling')
  sendObject(call, batch.object())
}

function foundBatch({ store, route, exchange }: StoredCall): StoredBatch {
  const batch = store.batches.get(route.id ?? '')
  if (batch === undefined) throw new InvalidRequest(notFoundThing(route.family, 'Batch', route.id ?? ''))
  exchange.record.answerId = batch.id
  return batch
}

function inputFile({ store }: StoredCall, id: unknown): StoredFile {
  if (typeof id !== 'string') return refuseType('input_file_id', 'a string', id)
  const now = Date.now()
  forgetExpired(store, now)
  const file = store.files.get(id)
  const refusal = (why: string) => refuse(`The input file '${id}' ${why}.`, 'input_file_id', 'invalid_request')
  if (file === undefined) return refusal('does not exist')
  if (file.purpose !== 'batch') return refusal(`has the purpose '${file.purpose}', not 'batch'`)
  return fileStatus(file, now) === 'processed' ? file : refusal('is not processed yet')
}

/** What is enqueued counts until its batch is over. */
function checkQuota({ store }: StoredCall, read: ReadLines): void {
  if (read.kind !== 'lines') return
  const { name, config } = read.deployment
  if (config.admission.kind !== 'batch') return
  const { enqueuedTokensMax } = config.admission
  const waiting = [...store.batches.values()].filter((batch) => !batch.isOver && batch.order.deployment === name)
  const enqueued = waiting.reduce((sum, { order }) => sum + order.enqueuedTokens, 0)
  if (enqueued + read.enqueuedTokens <= enqueuedTokensMax) return
  const message = `The batch would exceed the enqueued token limit of ${enqueuedTokensMax} for ${name}: ${enqueued} are enqueued, and it has ${read.enqueuedTokens}.`
  throw new InvalidRequest(invalidRequest(message, { code: 'token_limit_exceeded' }))
}

function readMetadata(value: unknown): JsonObject | null {
  if (value === undefined || value === null) return null
  return isJsonObject(value) ? value : refuseType('metadata', 'an object', value)
}

function readOutputExpiry(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (!isJsonObject(value)) return refuseType('output_expires_after', 'an object', value)
  return readExpiry(value['seconds'], value['anchor'])
}
