import { assertNever } from '../base/assert'
import { Problem } from '../base/problem'
import type { Clock } from '../base/clock'
import type { Log } from '../base/log'
import type { Answer } from '../inference/answer'
import { invalid } from '../inference/body-fields'
import type { Renaming } from '../inference/binding'
import { renamed, renamedError } from '../inference/made-response'
import { asErrorBody } from '../inference/relay-whole'
import { jsonAnswer, type StoredOperation, type StoredRequest } from '../inference/stored-operation'
import type { AccountRequest, AccountResponses } from './account-responses'
import { findResponse } from './find-response'
import { followResponse } from './follow-response'
import type { EndResponse } from './end-response'
import type { HeldResponses, WholeAnswer } from './held-responses'
import { pageOfInput } from './input-items'
import type { ResponseRecord } from './response-record'
import type { ResponseStore } from './response-store'

export interface ResponseOperationDeps {
  readonly store: ResponseStore
  readonly accounts: AccountResponses
  readonly held: HeldResponses
  readonly end: EndResponse
  readonly clock: Clock
  readonly log: Log
}

/**
 * `GET` and `DELETE /responses/{id}`, `POST …/cancel`, `GET …/input_items`, at the account that holds the response. A client's id is
 * never sent there: it leads to a row of the tenant's, and the row says what the account calls it.
 */
export function createResponseOperations(deps: ResponseOperationDeps): readonly StoredOperation[] {
  const of = (serve: (request: StoredRequest, record: ResponseRecord) => Promise<Answer | Problem>) => {
    return async (request: StoredRequest) => {
      const { scope, caller, params } = request
      const record = await findResponse(deps, scope, caller, params['id'] ?? '')
      return record ? serve(request, record) : notFound(params['id'] ?? '')
    }
  }
  const path = '/responses/{id}'
  return [
    {
      name: 'responses.retrieve',
      method: 'GET',
      path,
      serve: of((request, record) =>
        request.query.get('stream') === 'true' ? follow(deps, request, record) : retrieve(deps, request, record),
      ),
    },
    { name: 'responses.delete', method: 'DELETE', path, serve: of((request, record) => remove(deps, request, record)) },
    {
      name: 'responses.cancel',
      method: 'POST',
      path: `${path}/cancel`,
      serve: of(({ scope, callId }, record) =>
        whole(deps, scope, record, { method: 'POST', action: '/cancel', callId }),
      ),
    },
    {
      name: 'responses.inputItems',
      method: 'GET',
      path: `${path}/input_items`,
      serve: of((request, record) => inputItems(deps, request, record)),
    },
  ]
}

const retrieve = (deps: ResponseOperationDeps, { scope, query, callId }: StoredRequest, record: ResponseRecord) =>
  whole(deps, scope, record, { method: 'GET', query: included(query), callId })

async function whole(
  { held }: ResponseOperationDeps,
  scope: StoredRequest['scope'],
  record: ResponseRecord,
  request: AccountRequest,
): Promise<Answer | Problem> {
  return shown(await held.ask(scope, record, request), record)
}

async function remove({ held }: ResponseOperationDeps, { scope }: StoredRequest, record: ResponseRecord) {
  const { id } = record
  return (await held.remove(scope, record)) ?? jsonAnswer({ id, object: 'response.deleted', deleted: true })
}

async function inputItems(
  { held }: ResponseOperationDeps,
  { scope, query, callId }: StoredRequest,
  record: ResponseRecord,
): Promise<Answer | Problem> {
  const ask = (page: URLSearchParams) =>
    held.ask(scope, record, { method: 'GET', action: '/input_items', query: page, callId })
  const include = included(query)
  const found = await pageOfInput(query, (page) => {
    for (const [name, value] of include) page.append(name, value)
    return ask(page)
  })
  if (found instanceof Problem) return found
  return found.kind === 'page' ? jsonAnswer(found.page) : shown(found, record)
}

async function follow(
  { accounts, end, clock, log }: ResponseOperationDeps,
  { scope, query, callId, gone }: StoredRequest,
  record: ResponseRecord,
): Promise<Answer | Problem> {
  const asked = included(query)
  asked.set('stream', 'true')
  const after = query.get('starting_after')
  if (after !== null) {
    if (!/^-?\d{1,9}$/.test(after)) return invalid('starting_after', 'must be a whole number')
    asked.set('starting_after', after)
  }
  const answer = await accounts.ask(record, {
    method: 'GET',
    query: asked,
    callId,
    isStream: true,
    signal: gone?.signal,
  })
  if (answer.kind !== 'answered') return shown(answer, record)
  const { headers, body } = answer.answer
  if (!/^text\/event-stream/i.test(String(headers['content-type']))) {
    body.cancel('the answer is no event stream')
    return new Problem('upstream_failed', 'The account that holds the response sent no events.')
  }
  return followResponse(answer.answer, {
    record,
    renames: renamesOf(record),
    onEnded: (ended) => end(scope, record.id, ended),
    clock,
    log,
  })
}

/** Of the query what the account may be asked; everything else in it is nobody's. */
function included(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams()
  for (const name of ['include', 'include[]']) for (const value of query.getAll(name)) asked.append('include[]', value)
  const obfuscation = query.get('include_obfuscation')
  if (obfuscation !== null) asked.set('include_obfuscation', obfuscation)
  return asked
}

function shown(answer: WholeAnswer, record: ResponseRecord): Answer | Problem {
  const headers = { 'content-type': 'application/json' }
  switch (answer.kind) {
    case 'whole':
      return { status: answer.status, headers, body: renamed(answer.body, renamesOf(record)) }
    case 'refused':
      return {
        status: answer.status,
        headers,
        body: asErrorBody(answer.status, renamedError(answer.body, renamesOf(record))),
      }
    case 'missing':
      return notFound(record.id)
    case 'failed':
      return answer.problem
    default:
      return assertNever(answer)
  }
}

const renamesOf = ({ id: ourId, upstreamId, renames }: ResponseRecord): Renaming[] => [
  { upstreamId, ourId },
  ...renames,
]

/** In the provider's words. */
function notFound(id: string): Problem {
  return new Problem('not_found', `Response with id '${id.slice(0, 100)}' not found.`, { param: 'response_id' })
}
