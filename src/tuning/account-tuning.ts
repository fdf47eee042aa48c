import type { BackendCredentials } from '../azure/backend-credentials'
import { orUnsure, type Unsure } from '../azure/or-unsure'
import { retryAfterMs, type SmallAnswer, type SmallHttp } from '../azure/small-http'
import { fieldsOf } from '../base/json-object'
import type { Account } from '../files/account-files'
import { accountCheckpointOf, accountEventOf, accountJobOf, type AccountCheckpoint } from './account-job'
import type { AccountEvent, AccountJob } from './account-job'
import type { TuningOrder } from './tuning-job'

/** Training as an account of Azure OpenAI does it: `/openai/v1/fine_tuning/jobs` (azure-facts 3.3). */
export interface AccountTuning {
  create(account: Account, order: AccountOrder): Promise<Answer<AccountJob>>
  get(account: Account, id: string): Promise<Answer<AccountJob>>
  /** `refused` where it is over, or cannot be paused or resumed as it is: then look at it again. */
  act(account: Account, id: string, action: 'cancel' | 'pause' | 'resume'): Promise<Answer<AccountJob>>
  /** The job of this suffix, where the answer to its making was lost. */
  find(account: Account, suffix: string): Promise<Answer<AccountJob>>
  /** The newest first, up to the one of `until`, or as many as are kept. */
  events(account: Account, id: string, until: string | undefined): Promise<Answer<readonly AccountEvent[]>>
  checkpoints(account: Account, id: string): Promise<Answer<readonly AccountCheckpoint[]>>
  /** A model or a checkpoint; `missing` where it is gone already. */
  removeModel(account: Account, model: string): Promise<Answer<'removed'>>
}

export interface AccountOrder {
  /** As the account knows it. */
  readonly model: string
  readonly trainingFileId: string
  readonly validationFileId: string | undefined
  readonly suffix: string
  readonly order: TuningOrder
}

export type Answer<T> =
  | { readonly kind: 'answer'; readonly value: T }
  /** There is no room for one more, or not for its data: there will be. */
  | { readonly kind: 'full'; readonly detail: string; readonly againMs: number }
  | { readonly kind: 'missing' }
  /** It will not, now or later. */
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string }
  /** No answer, or one that says to come again. */
  | Unsure

const JOBS_PAGE = 100
/** An account keeps 100 jobs; others, and later limits, may be larger. */
const JOBS_PAGES_MAX = 20
const EVENTS_PAGE = 500
const EVENTS_PAGES_MAX = 4
const CHECKPOINTS_PAGE = 100
const AGAIN_MS = 30_000
const MESSAGE_CHARACTERS_MAX = 500

export function createAccountTuning({
  http,
  credentials,
}: {
  http: Pick<SmallHttp, 'send'>
  credentials: BackendCredentials
}): AccountTuning {
  const ask = async (account: Account, { method, path, body }: Asked): Promise<SmallAnswer> => {
    const proof = await credentials.headerOf(account, 'api-key')
    return http.send({
      method,
      url: `${account.endpoint}/openai/v1${path}`,
      headers: {
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(proof ? { [proof[0]]: proof[1] } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    })
  }
  const one = async <T>(account: Account, asked: Asked, read: (body: unknown) => T | undefined): Promise<Answer<T>> =>
    answered(async () => {
      const answer = await ask(account, asked)
      if (answer.status >= 300) return notDone(answer)
      const value = read(answer.body)
      return value === undefined ? notUnderstood : { kind: 'answer', value }
    })

  return {
    create: (account, order) =>
      one(account, { method: 'POST', path: '/fine_tuning/jobs', body: bodyOf(order) }, accountJobOf),
    get: (account, id) => one(account, { method: 'GET', path: pathOf(id) }, accountJobOf),
    act: (account, id, action) =>
      one(account, { method: 'POST', path: `${pathOf(id)}/${action}`, body: {} }, accountJobOf),
    find: (account, suffix) =>
      answered<AccountJob>(async () => {
        for await (const page of pages(ask, account, {
          path: '/fine_tuning/jobs',
          limit: JOBS_PAGE,
          max: JOBS_PAGES_MAX,
        })) {
          if (page.kind !== 'page') return page.answer
          const ours = page.data.find((job) => fieldsOf(job)['suffix'] === suffix)
          const job = accountJobOf(ours)
          if (job) return { kind: 'answer', value: job }
        }
        return { kind: 'missing' }
      }),
    events: (account, id, until) =>
      answered<readonly AccountEvent[]>(async () => {
        const found: AccountEvent[] = []
        for await (const page of pages(ask, account, {
          path: `${pathOf(id)}/events`,
          limit: EVENTS_PAGE,
          max: EVENTS_PAGES_MAX,
        })) {
          if (page.kind !== 'page') return page.answer
          for (const event of page.data.map(accountEventOf)) {
            if (!event) continue
            if (event.id === until) return { kind: 'answer', value: found }
            found.push(event)
          }
        }
        return { kind: 'answer', value: found }
      }),
    checkpoints: (account, id) =>
      one(account, { method: 'GET', path: `${pathOf(id)}/checkpoints?limit=${CHECKPOINTS_PAGE}` }, (body) => {
        const { data } = fieldsOf(body)
        return Array.isArray(data) ? data.flatMap((item: unknown) => accountCheckpointOf(item) ?? []) : undefined
      }),
    removeModel: (account, model) =>
      one(account, { method: 'DELETE', path: `/models/${encodeURIComponent(model)}` }, () => 'removed' as const),
  }
}

interface Asked {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
}

const pathOf = (id: string) => `/fine_tuning/jobs/${encodeURIComponent(id)}`

function bodyOf({ model, trainingFileId, validationFileId, suffix, order }: AccountOrder): object {
  const { method, hyperparameters, grader, responseFormat, seed, trainingType } = order
  return {
    model,
    training_file: trainingFileId,
    ...(validationFileId === undefined ? {} : { validation_file: validationFileId }),
    suffix,
    ...(seed === undefined ? {} : { seed }),
    method: {
      type: method,
      [method]: {
        ...(Object.keys(hyperparameters).length > 0 ? { hyperparameters } : {}),
        ...(grader ? { grader } : {}),
        ...(responseFormat ? { response_format: responseFormat } : {}),
      },
    },
    // What is absent is the standard, also for accounts that know no types.
    ...(trainingType === 'standard' ? {} : { trainingType: AZURE_TYPES[trainingType] }),
  }
}

/** As Azure's pages write them. */
const AZURE_TYPES = { globalstandard: 'globalstandard', developertier: 'developerTier' } as const

type Page =
  { readonly kind: 'page'; readonly data: readonly unknown[] } | { readonly kind: 'none'; readonly answer: NotDone }

type NotDone = Exclude<Answer<never>, { kind: 'answer' }>

async function* pages(
  ask: (account: Account, asked: Asked) => Promise<SmallAnswer>,
  account: Account,
  { path, limit, max }: { path: string; limit: number; max: number },
): AsyncGenerator<Page> {
  let after = ''
  for (let page = 0; page < max; page++) {
    const answer = await ask(account, { method: 'GET', path: `${path}?limit=${limit}${after}` })
    if (answer.status >= 300) return yield { kind: 'none', answer: notDone(answer) }
    const { data, has_more: hasMore } = fieldsOf(answer.body)
    const items: readonly unknown[] = Array.isArray(data) ? data : []
    yield { kind: 'page', data: items }
    const last = fieldsOf(items.at(-1))['id']
    if (hasMore !== true || typeof last !== 'string') return
    after = `&after=${encodeURIComponent(last)}`
  }
}

const notUnderstood: NotDone = { kind: 'unsure', detail: 'an answer that is no such thing', againMs: AGAIN_MS }

const answered = <T>(work: () => Promise<Answer<T>>): Promise<Answer<T>> => orUnsure(AGAIN_MS, work)

/** No page of Azure's names the code or status of an account that is full of jobs: what is known of both is looked for. */
const QUOTA = /quota|too[_ ]?many|exceed|limit.*(reached|jobs)/i

function notDone(answer: SmallAnswer): NotDone {
  const { status } = answer
  const { code, message } = fieldsOf(fieldsOf(answer.body)['error'])
  const shownCode = typeof code === 'string' && CODE.test(code) ? code : 'no_code'
  const shownMessage = typeof message === 'string' ? message.slice(0, MESSAGE_CHARACTERS_MAX) : ''
  const detail = `HTTP ${status}: ${shownCode}`
  const againMs = retryAfterMs(answer, AGAIN_MS)
  if (status === 404) return { kind: 'missing' }
  if ((status === 400 || status === 429) && QUOTA.test(`${shownCode} ${shownMessage}`))
    return { kind: 'full', detail, againMs }
  // A role that was taken away or a key that was changed is given back; the job need not be lost for it.
  const isPassing = status === 401 || status === 403 || status === 408 || status === 429 || status >= 500
  if (isPassing) return { kind: 'unsure', detail, againMs }
  return { kind: 'refused', status, code: shownCode, message: shownMessage }
}

const CODE = /^[A-Za-z0-9_.-]{1,64}$/
