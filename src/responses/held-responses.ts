import { UpstreamError } from '../azure/upstream-error'
import type { UpstreamResponse } from '../azure/upstream-exchange'
import { Problem } from '../base/problem'
import { isObjectAnswer } from '../inference/answer-check'
import { isOverStatus } from '../inference/binding'
import { parseMadeResponse } from '../inference/made-response'
import type { TenantScope } from '../storage/tenant-scope'
import type { AccountAnswer, AccountRequest, AccountResponses } from './account-responses'
import { isUnmetered, type EndResponse } from './end-response'
import type { OpenResponses } from './open-responses'
import type { ResponseRecord } from './response-record'
import type { ResponseStore } from './response-store'

/** Stored responses with the accounts that hold them: whatever is learned of one's end on the way is metered before it is shown. */
export interface HeldResponses {
  /** A whole answer of its account; a 404 of the account is `missing`. */
  ask(scope: TenantScope, record: ResponseRecord, request: AccountRequest): Promise<WholeAnswer>
  /** Deletes it at its account, called off before where it runs still, and forgets it. A problem where the account does not answer. */
  remove(scope: TenantScope, record: ResponseRecord): Promise<Problem | undefined>
  /** One in the background: metered where it is over. False where it runs still, or its account does not say. */
  followUp(scope: TenantScope, record: ResponseRecord): Promise<boolean>
}

export type WholeAnswer =
  | { readonly kind: 'whole'; readonly status: number; readonly body: Buffer }
  | Exclude<AccountAnswer, { kind: 'answered' }>

export interface HeldDeps {
  readonly store: ResponseStore
  readonly open: OpenResponses
  readonly accounts: AccountResponses
  readonly end: EndResponse
}

/** Of a response or a page of its input, images included. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

const tooLarge: WholeAnswer = {
  kind: 'failed',
  problem: new Problem('upstream_failed', `The answer is larger than ${ANSWER_BYTES_MAX} bytes.`),
}

const noAnswer: WholeAnswer = {
  kind: 'failed',
  problem: new Problem('upstream_failed', 'The account that holds the response sent no JSON.'),
}

export function createHeldResponses({ store, open, accounts, end }: HeldDeps): HeldResponses {
  const ask: HeldResponses['ask'] = async (scope, record, request) => {
    const asked = await accounts.ask(record, request)
    if (asked.kind !== 'answered') return asked
    const { status } = asked.answer
    const body = await wholeOf(asked.answer)
    if (!body) return tooLarge
    if (body instanceof Problem) return { kind: 'failed', problem: body }
    if (!isObjectAnswer(body)) return noAnswer
    if (request.action !== '/input_items' && request.method !== 'DELETE') await noteEnd(scope, record, body)
    return { kind: 'whole', status, body }
  }

  const noteEnd = async (scope: TenantScope, record: ResponseRecord, body: Buffer) => {
    if (isOverStatus(record.status) && !isUnmetered(record)) return
    const made = parseMadeResponse(body)
    if (made && isOverStatus(made.status)) await end(scope, record.id, made)
  }

  const lost = (scope: TenantScope, { id }: ResponseRecord) =>
    end(scope, id, { status: 'failed', usage: undefined, itemIds: [] })

  return {
    ask,
    remove: async (scope, record) => {
      if (isUnmetered(record)) {
        // What it used is asked for while there is somebody who knows it.
        const asked = await ask(scope, record, { method: 'POST', action: '/cancel' })
        if (asked.kind === 'failed') return asked.problem
        await end(scope, record.id, { status: 'cancelled', usage: undefined, itemIds: [] })
      }
      const removed = await accounts.ask(record, { method: 'DELETE' })
      if (removed.kind === 'failed') return removed.problem
      if (removed.kind === 'refused')
        return new Problem('upstream_failed', 'The account does not delete it.', { internal: `HTTP ${removed.status}` })
      if (removed.kind === 'answered' && !(await tellsItIsGone(removed.answer)))
        return new Problem('upstream_failed', 'The account that holds the response did not say that it is deleted.')
      // It may have been written anew meanwhile, with more items.
      await store.remove(scope, (await store.get(scope, record.id)) ?? record)
      await open.remove({ tenantId: scope.tenantId, id: record.id })
      return undefined
    },
    followUp: async (scope, record) => {
      const asked = await ask(scope, record, { method: 'GET' })
      // Deleted at its account, or older than it keeps anything: nobody will ever know more.
      if (asked.kind === 'missing') await lost(scope, record)
      const now = await store.get(scope, record.id)
      return !now || !isUnmetered(now)
    },
  }
}

/** A page in front of the account is no success of its: a response that is forgotten here must not go on lying there. */
async function tellsItIsGone(answer: UpstreamResponse): Promise<boolean> {
  const body = await wholeOf(answer)
  return answer.status === 204 || (Buffer.isBuffer(body) && isObjectAnswer(body))
}

async function wholeOf({ body }: UpstreamResponse): Promise<Buffer | Problem | undefined> {
  try {
    return await body.readAll(ANSWER_BYTES_MAX)
  } catch (error) {
    if (error instanceof UpstreamError) return new Problem('upstream_failed', 'The answer broke off.')
    throw error
  }
}
