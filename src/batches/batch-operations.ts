import { parseBatchId, type BatchId } from '../base/ids'
import { Problem } from '../base/problem'
import { invalid } from '../inference/body-fields'
import { unknownAlias } from '../inference/authorize'
import { readLimit } from '../inference/query-fields'
import { jsonAnswer, notFoundObject, type StoredOperation, type StoredRequest } from '../inference/stored-operation'
import { readOrder } from './batch-input'
import { batchView } from './batch-view'
import type { Batches, ShownBatch } from './batches'
import { batchAlias } from './steps/check-step'

const PAGE = { limitDefault: 20, limitMax: 100 }

/** `POST` and `GET /batches`, `GET /batches/{id}`, `POST /batches/{id}/cancel`, in both URL families. */
export function createBatchOperations(batches: Batches): readonly StoredOperation[] {
  return [
    {
      name: 'batches.create',
      method: 'POST',
      path: '/batches',
      inDeployment: true,
      serve: (request) => create(batches, request),
    },
    { name: 'batches.list', method: 'GET', path: '/batches', serve: (request) => list(batches, request) },
    {
      name: 'batches.get',
      method: 'GET',
      path: '/batches/{id}',
      serve: async (request) => shownOr(request, await found(request, (id) => batches.get(request.scope, id))),
    },
    {
      name: 'batches.cancel',
      method: 'POST',
      path: '/batches/{id}/cancel',
      serve: async (request) => shownOr(request, await found(request, (id) => batches.cancel(request.scope, id))),
    },
  ]
}

async function create(batches: Batches, request: StoredRequest) {
  const { tenant, caller, scope, deployment } = request
  // What the onboarding calls on trial is the platform's to pay; a batch would be the tenant's.
  if (tenant.state !== 'active')
    return new Problem('tenant_not_active', `This tenant is ${tenant.state}; batches are taken when it is active.`)
  const body = await request.readJson()
  if (body instanceof Problem) return body
  const order = readOrder(body, deployment)
  if (order instanceof Problem) return order
  if (order.model !== undefined && !batchAlias(tenant, caller, order.model)) return unknownAlias(order.model)
  const made = await batches.create(scope, caller, order)
  if (made instanceof Problem) return made
  // As Azure's classic family says that it has made something; v1 says 200.
  return jsonAnswer(viewOf(made), request.family === 'v1' ? 200 : 201)
}

async function list(batches: Batches, { scope, query }: StoredRequest) {
  const limit = readLimit(query, PAGE)
  if (limit instanceof Problem) return limit
  const text = query.get('after')
  const after = text === null ? undefined : parseBatchId(text)
  if (text !== null && !after) return invalid('after', 'must be the id of a batch')
  const page = await batches.page(scope, { after, limit })
  const data = page.batches.map(viewOf)
  return jsonAnswer({
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: page.hasMore,
  })
}

type Found = ShownBatch | Problem | undefined

const found = async ({ params }: StoredRequest, find: (id: BatchId) => Promise<Found>): Promise<Found> => {
  const id = parseBatchId(params['id'] ?? '')
  return id && find(id)
}

function shownOr({ params }: StoredRequest, batch: Found) {
  if (batch instanceof Problem) return batch
  return batch ? jsonAnswer(viewOf(batch)) : notFoundObject('batch', params['id'] ?? '')
}

const viewOf = ({ record, metadata }: ShownBatch) => batchView(record, metadata)
