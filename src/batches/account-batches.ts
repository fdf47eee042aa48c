import type { BackendCredentials } from '../azure/backend-credentials'
import { orUnsure, type Unsure } from '../azure/or-unsure'
import { retryAfterMs, type SmallAnswer, type SmallHttp } from '../azure/small-http'
import type { BatchId } from '../base/ids'
import { fieldsOf, isObject, type JsonObject } from '../base/json-object'
import type { Account } from '../files/account-files'
import {
  batchFault,
  batchStatuses,
  BATCH_FAULTS_MAX,
  type BatchCounts,
  type BatchFault,
  type BatchStatus,
} from './batch-record'

/** Batches as an account keeps them: Azure OpenAI's `/openai/v1/batches`, or those of an OpenAI-compatible server. */
export interface AccountBatches {
  create(account: Account, order: AccountOrder): Promise<AccountAnswer>
  get(account: Account, id: string): Promise<AccountAnswer>
  cancel(account: Account, id: string): Promise<AccountAnswer>
  /** The one that was made for ours, where the answer to its making was lost. */
  find(account: Account, id: BatchId): Promise<AccountAnswer>
}

export interface AccountOrder {
  readonly id: BatchId
  readonly inputFileId: string
  readonly endpoint: string
}

export type AccountAnswer =
  | { readonly kind: 'batch'; readonly batch: AccountBatch }
  /** As many tokens wait there as may. */
  | { readonly kind: 'quota' }
  | { readonly kind: 'missing' }
  /** It will not have it, now or later. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string }
  /** No answer, or one that says to come again. */
  | Unsure

export interface AccountBatch {
  readonly id: string
  readonly status: BatchStatus
  readonly outputFileId: string | undefined
  readonly errorFileId: string | undefined
  readonly counts: BatchCounts
  readonly faults: readonly BatchFault[]
}

/** By this key of its metadata an account's batch says whose it is; our id tells nobody anything. */
const OURS = 'tenantry'
const PAGE = 100
/** Of lists that are looked through for ours: an account keeps thousands, the newest first. */
const PAGES_MAX = 50
const AGAIN_MS = 30_000
const CLIENT_REQUEST = 'x-ms-client-request-id'

export function createAccountBatches({
  http,
  credentials,
}: {
  http: SmallHttp
  credentials: BackendCredentials
}): AccountBatches {
  const ask = async (account: Account, { method, path, body, requestId }: Asked): Promise<SmallAnswer> => {
    const proof = await credentials.headerOf(account, account.api.kind === 'azure-openai' ? 'api-key' : 'bearer')
    return http.send({
      method,
      url: `${accountUrlOf(account)}${path}`,
      headers: {
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(requestId === undefined ? {} : { [CLIENT_REQUEST]: requestId }),
        ...(proof ? { [proof[0]]: proof[1] } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
  }
  const answerTo = (account: Account, asked: Asked): Promise<AccountAnswer> =>
    orUnsure(AGAIN_MS, async () => answerOf(await ask(account, asked)))

  return {
    create: (account, { id, inputFileId, endpoint }) =>
      answerTo(account, {
        method: 'POST',
        path: '/batches',
        requestId: id,
        body: { input_file_id: inputFileId, endpoint, completion_window: '24h', metadata: { [OURS]: id } },
      }),
    get: (account, id) => answerTo(account, { method: 'GET', path: `/batches/${encodeURIComponent(id)}` }),
    cancel: (account, id) =>
      answerTo(account, { method: 'POST', path: `/batches/${encodeURIComponent(id)}/cancel`, body: {} }),
    find: async (account, id) => {
      let after = ''
      for (let page = 0; page < PAGES_MAX; page++) {
        const found = await orUnsure(AGAIN_MS, async () =>
          pageOf(await ask(account, { method: 'GET', path: `/batches?limit=${PAGE}${after}` })),
        )
        if (found.kind !== 'page') return found
        const ours = found.batches.find(({ metadata }) => isObject(metadata) && metadata[OURS] === id)
        const batch = ours && batchOf(ours)
        if (batch) return { kind: 'batch', batch }
        const last = found.batches.at(-1)?.['id']
        if (!found.hasMore || typeof last !== 'string') break
        after = `&after=${encodeURIComponent(last)}`
      }
      return { kind: 'missing' }
    },
  }
}

interface Asked {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: object
  readonly requestId?: string
}

/** Where an account keeps what is not a deployment's. */
const accountUrlOf = ({ api, endpoint }: Account): string =>
  api.kind === 'azure-openai' ? `${endpoint}/openai/v1` : endpoint

function answerOf(answer: SmallAnswer): AccountAnswer {
  const { status, body } = answer
  if (status < 300) {
    const batch = batchOf(body)
    return batch
      ? { kind: 'batch', batch }
      : { kind: 'unsure', detail: 'an answer that is no batch', againMs: AGAIN_MS }
  }
  return notDone(answer)
}

function notDone(answer: SmallAnswer): Exclude<AccountAnswer, { kind: 'batch' }> {
  const { status } = answer
  const code = codeOf(answer.body)
  if (code === QUOTA_CODE) return { kind: 'quota' }
  if (status === 404) return { kind: 'missing' }
  // A role that was taken away or a key that was changed is given back; the batch need not be lost for it.
  const isPassing = status === 401 || status === 403 || status === 408 || status === 429 || status >= 500
  if (isPassing) return { kind: 'unsure', detail: `HTTP ${status}: ${code}`, againMs: retryAfterMs(answer, AGAIN_MS) }
  return { kind: 'refused', status, code }
}

type Page =
  | { readonly kind: 'page'; readonly batches: readonly JsonObject[]; readonly hasMore: boolean }
  | Exclude<AccountAnswer, { kind: 'batch' }>

function pageOf(answer: SmallAnswer): Page {
  if (answer.status >= 300) return notDone(answer)
  const { data, has_more: hasMore } = fieldsOf(answer.body)
  return { kind: 'page', batches: Array.isArray(data) ? data.filter(isObject) : [], hasMore: hasMore === true }
}

/** Some versions of Azure write states in capitals and `""` for no file, and leave counts out (azure-facts 4). */
function batchOf(value: unknown): AccountBatch | undefined {
  if (!isObject(value) || typeof value['id'] !== 'string') return undefined
  const told = String(value['status']).toLowerCase().replaceAll(' ', '_')
  const status = batchStatuses.find((name) => told === name || told === name.replace('_', ''))
  if (!status) return undefined
  const counts = fieldsOf(value['request_counts'])
  const count = (name: string) => (typeof counts[name] === 'number' ? counts[name] : 0)
  return {
    id: value['id'],
    status,
    outputFileId: textOf(value['output_file_id']),
    errorFileId: textOf(value['error_file_id']),
    counts: { total: count('total'), completed: count('completed'), failed: count('failed') },
    faults: faultsOf(value['errors']),
  }
}

/** Of its faults the code and the line; its words may quote a request, or name a deployment. */
function faultsOf(errors: unknown): BatchFault[] {
  const data = fieldsOf(errors)['data']
  if (!Array.isArray(data)) return []
  return data
    .filter(isObject)
    .slice(0, BATCH_FAULTS_MAX)
    .map(({ code, line }) =>
      batchFault(CODE.test(String(code)) ? String(code) : 'invalid_request', 'The model backend refused the batch.', {
        line: typeof line === 'number' ? line : null,
      }),
    )
}

export const QUOTA_CODE = 'token_limit_exceeded'
const CODE = /^[A-Za-z0-9_.-]{1,64}$/

function codeOf(body: unknown): string {
  const { code } = fieldsOf(fieldsOf(body)['error'])
  return typeof code === 'string' && CODE.test(code) ? code : 'no code'
}

const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
