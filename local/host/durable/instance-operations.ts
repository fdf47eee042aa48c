import { type ApiAnswer, type ApiCall, type ApiDeps, type ApiOperation, jsonText } from './api-operation'
import { managementLinks } from './management-links'
import { isFinished, type Message, RUNTIME_STATUSES } from './records'
import { statusJson } from './status-json'

const INSTANCE_ID_CHARACTERS_MAX = 100
const PAGE_INSTANCES_DEFAULT = 100
const PAGE_INSTANCES_MAX = 1_000
const RETRY_AFTER_SECONDS = '10'
const CONTINUATION_HEADER = 'x-ms-continuation-token'

interface Route {
  readonly method: string
  readonly route: string
  readonly operation: ApiOperation
}

/** Everything about orchestrations: start, status, list, events, control, purge. */
export function instanceOperations(deps: ApiDeps): Route[] {
  const one = 'instances/{instanceId}'
  return [
    { method: 'POST', route: 'orchestrators/{name}/{instanceId?}', operation: (call) => start(deps, call) },
    { method: 'GET', route: 'instances', operation: (call) => list(deps, call) },
    { method: 'DELETE', route: 'instances', operation: (call) => purgeMany(deps, call) },
    { method: 'GET', route: one, operation: (call) => status(deps, call) },
    { method: 'DELETE', route: one, operation: (call) => purge(deps, call) },
    { method: 'POST', route: `${one}/raiseEvent/{eventName}`, operation: (call) => raiseEvent(deps, call) },
    { method: 'POST', route: `${one}/terminate`, operation: (call) => control(deps, call, 'terminate') },
    { method: 'POST', route: `${one}/suspend`, operation: (call) => control(deps, call, 'suspend') },
    { method: 'POST', route: `${one}/resume`, operation: (call) => control(deps, call, 'resume') },
    { method: 'POST', route: `${one}/restart`, operation: (call) => restart(deps, call) },
    { method: 'POST', route: `${one}/rewind`, operation: () => REWIND_UNSUPPORTED },
  ]
}

const NOT_FOUND: ApiAnswer = { status: 404 }
const REWIND_UNSUPPORTED: ApiAnswer = { status: 501, json: 'The local host does not support rewind.' }

async function start(deps: ApiDeps, { params, body }: ApiCall): Promise<ApiAnswer> {
  const { hub } = deps
  const instanceId = params['instanceId'] ?? hub.newId()
  const input = jsonText(body)
  if (input === undefined) return { status: 400, json: { message: 'The body is not valid JSON' } }
  return startAs(deps, { name: params['name'] ?? '', instanceId, input })
}

async function startAs(
  { hub, address }: ApiDeps,
  { name, instanceId, input }: { name: string; instanceId: string; input: string },
): Promise<ApiAnswer> {
  const fault = faultOfId(instanceId)
  if (fault) return { status: 400, json: { message: fault } }
  const result = await hub.startInstance(instanceId, { name, input })
  if (result === 'unknown-name') {
    return {
      status: 400,
      json: { message: `The function '${name}' doesn't exist or is not an orchestrator function.` },
    }
  }
  if (result !== 'started') {
    return { status: 409, json: { message: `An instance with the id '${instanceId}' is already running.` } }
  }
  const links = managementLinks(address, instanceId)
  return {
    status: 202,
    json: links,
    headers: { location: links.statusQueryGetUri, 'retry-after': RETRY_AFTER_SECONDS },
  }
}

/** The extension's own rules for ids. */
function faultOfId(instanceId: string): string | undefined {
  if (instanceId.length > INSTANCE_ID_CHARACTERS_MAX) {
    return `An instance id has at most ${INSTANCE_ID_CHARACTERS_MAX} characters`
  }
  if (instanceId.startsWith('@')) return 'An instance id must not start with @: those ids are for entities'
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  return /[/\\#?\u0000-\u001f\u007f-\u009f]/.test(instanceId)
    ? 'An instance id must not contain / \\ # ? or control characters'
    : undefined
}

async function status({ hub, address }: ApiDeps, { params, query }: ApiCall): Promise<ApiAnswer> {
  const instanceId = params['instanceId'] ?? ''
  const options = statusOptions(query)
  const stored = await (options.showHistory ? hub.store.partition(instanceId) : hub.store.get(instanceId))
  if (!stored || stored.record.kind !== 'orchestration') return NOT_FOUND
  const json = statusJson(stored, options)
  if (!isFinished(stored.record)) {
    const location = managementLinks(address, instanceId).statusQueryGetUri
    return { status: 202, json, headers: { location, 'retry-after': RETRY_AFTER_SECONDS } }
  }
  const saysFailure = stored.record.status === 'Failed' && isTrue(query, 'returnInternalServerErrorOnFailure')
  return { status: saysFailure ? 500 : 200, json }
}

function statusOptions(query: URLSearchParams) {
  return {
    showInput: query.get('showInput')?.toLowerCase() !== 'false',
    showHistory: isTrue(query, 'showHistory'),
    showHistoryOutput: isTrue(query, 'showHistoryOutput'),
  }
}

const isTrue = (query: URLSearchParams, name: string) => query.get(name)?.toLowerCase() === 'true'

async function list({ hub }: ApiDeps, { query, headers }: ApiCall): Promise<ApiAnswer> {
  const filter = readFilter(query)
  if (!filter) return BAD_FILTER
  const token = headers[CONTINUATION_HEADER]
  const top = Number(query.get('top') ?? PAGE_INSTANCES_DEFAULT)
  const sizeMax = Number.isInteger(top) && top > 0 ? Math.min(top, PAGE_INSTANCES_MAX) : PAGE_INSTANCES_DEFAULT
  const page = await hub.store.list(filter, { sizeMax, continuation: typeof token === 'string' ? token : undefined })
  const options = { ...statusOptions(query), showHistory: false }
  const more = page.continuation === undefined ? {} : { headers: { [CONTINUATION_HEADER]: page.continuation } }
  return { status: 200, json: page.instances.map((instance) => statusJson(instance, options)), ...more }
}

const BAD_FILTER: ApiAnswer = {
  status: 400,
  json: { message: 'runtimeStatus, createdTimeFrom or createdTimeTo is not valid' },
}

function readFilter(query: URLSearchParams) {
  const wanted = query
    .getAll('runtimeStatus')
    .flatMap((text) => text.split(','))
    .filter((text) => text !== '')
  if (!wanted.every((text) => /^[a-z]+$/i.test(text))) return undefined
  const times = { createdFromMs: readTime(query, 'createdTimeFrom'), createdToMs: readTime(query, 'createdTimeTo') }
  if (Number.isNaN(times.createdFromMs) || Number.isNaN(times.createdToMs)) return undefined
  return {
    kind: 'orchestration' as const,
    statuses: wanted.map(
      (text) => RUNTIME_STATUSES.find((known) => known.toLowerCase() === text.toLowerCase()) ?? text,
    ),
    ...(times.createdFromMs === undefined ? {} : { createdFromMs: times.createdFromMs }),
    ...(times.createdToMs === undefined ? {} : { createdToMs: times.createdToMs }),
  }
}

function readTime(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  return text === null ? undefined : Date.parse(text)
}

async function purge({ hub }: ApiDeps, { params }: ApiCall): Promise<ApiAnswer> {
  const deleted = await hub.purge(params['instanceId'] ?? '')
  return deleted ? { status: 200, json: { instancesDeleted: 1 } } : NOT_FOUND
}

async function purgeMany({ hub }: ApiDeps, { query }: ApiCall): Promise<ApiAnswer> {
  const filter = readFilter(query)
  if (!filter) return BAD_FILTER
  let instancesDeleted = 0
  let continuation: string | undefined
  do {
    const page = await hub.store.list(filter, { sizeMax: PAGE_INSTANCES_MAX, continuation })
    for (const { record } of page.instances) {
      if (isFinished(record) && (await hub.purge(record.instanceId))) instancesDeleted++
    }
    continuation = page.continuation
  } while (continuation !== undefined)
  return instancesDeleted > 0 ? { status: 200, json: { instancesDeleted } } : NOT_FOUND
}

async function raiseEvent(deps: ApiDeps, { params, body }: ApiCall): Promise<ApiAnswer> {
  const input = body.trim() === '' ? 'null' : jsonText(body)
  if (input === undefined) return { status: 400, json: { message: 'The body is not valid JSON' } }
  const name = params['eventName'] ?? ''
  return post(deps, params['instanceId'] ?? '', (lifeId) => ({ kind: 'event', lifeId, name, input }))
}

function control(deps: ApiDeps, { params, query }: ApiCall, kind: 'terminate' | 'suspend' | 'resume') {
  const reason = query.get('reason') ?? ''
  return post(deps, params['instanceId'] ?? '', (lifeId) => ({ kind, lifeId, reason }))
}

async function post(
  { hub }: ApiDeps,
  instanceId: string,
  makeMessage: (lifeId: string) => Message,
): Promise<ApiAnswer> {
  if (await hub.post(instanceId, ({ lifeId }) => makeMessage(lifeId))) return { status: 202 }
  return { status: (await hub.store.get(instanceId)) ? 410 : 404 }
}

async function restart(deps: ApiDeps, { params, query }: ApiCall): Promise<ApiAnswer> {
  const old = await deps.hub.store.get(params['instanceId'] ?? '')
  if (!old || old.record.kind !== 'orchestration') return NOT_FOUND
  const keepsId = query.get('restartWithNewInstanceId')?.toLowerCase() === 'false'
  const instanceId = keepsId ? old.record.instanceId : deps.hub.newId()
  return startAs(deps, { name: old.record.name, instanceId, input: old.input })
}
