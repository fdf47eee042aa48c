import { type ApiAnswer, type ApiCall, type ApiDeps, type ApiOperation, jsonText } from './api-operation'
import { entityInstanceId, parseEntityInstanceId } from './protocol'

const PAGE_ENTITIES_MAX = 100
const CONTINUATION_HEADER = 'x-ms-continuation-token'

/** Signal an entity, read its state, list entities. */
export function entityOperations(deps: ApiDeps): { method: string; route: string; operation: ApiOperation }[] {
  return [
    { method: 'POST', route: 'entities/{name}/{key}', operation: (call) => signal(deps, call) },
    { method: 'GET', route: 'entities/{name}/{key}', operation: (call) => read(deps, call) },
    { method: 'GET', route: 'entities/{name?}', operation: (call) => list(deps, call) },
  ]
}

async function signal({ hub, functions }: ApiDeps, { params, query, body }: ApiCall): Promise<ApiAnswer> {
  const name = params['name'] ?? ''
  if (!functions.has('entity', name)) {
    return { status: 404, json: { message: `The function '${name}' doesn't exist or is not an entity function.` } }
  }
  const input = body.trim() === '' ? undefined : jsonText(body)
  if (input === undefined && body.trim() !== '') return { status: 400, json: { message: 'The body is not valid JSON' } }
  const operation = query.get('op') ?? ''
  await hub.post(entityInstanceId(name, params['key'] ?? ''), () => ({
    kind: 'operation',
    name: operation,
    input,
    replyTo: undefined,
    sender: undefined,
  }))
  return { status: 202 }
}

async function read({ hub }: ApiDeps, { params }: ApiCall): Promise<ApiAnswer> {
  const stored = await hub.store.get(entityInstanceId(params['name'] ?? '', params['key'] ?? ''))
  const { exists = false, state = null } = stored?.record.entity ?? {}
  if (!exists) return { status: 404 }
  return { status: 200, json: state === null ? null : JSON.parse(state) }
}

async function list({ hub }: ApiDeps, { params, query, headers }: ApiCall): Promise<ApiAnswer> {
  const token = headers[CONTINUATION_HEADER]
  const name = params['name']?.toLowerCase()
  const page = await hub.store.list(
    { kind: 'entity', statuses: [], ...(name === undefined ? {} : { name }) },
    { sizeMax: PAGE_ENTITIES_MAX, continuation: typeof token === 'string' ? token : undefined },
  )
  const withState = query.get('fetchState')?.toLowerCase() === 'true'
  const entities = page.instances
    .filter(({ record }) => record.entity?.exists)
    .map(({ record }) => ({
      entityId: parseEntityInstanceId(record.instanceId),
      lastOperationTime: new Date(record.updatedMs).toISOString(),
      ...(withState ? { state: JSON.parse(record.entity?.state ?? 'null') as unknown } : {}),
    }))
  const more = page.continuation === undefined ? {} : { headers: { [CONTINUATION_HEADER]: page.continuation } }
  return { status: 200, json: entities, ...more }
}
