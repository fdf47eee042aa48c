import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Entra } from '../entra/entra'
import { isJsonObject, type JsonObject } from '../json-value'
import { readBody } from '../request-body'
import { accountEndpoints } from './accounts'
import { ArmError, type ArmAnswer, type ArmEndpoint, type ArmMethod } from './arm-answer'
import type { ArmDeps } from './arm-deps'
import type { ArmFaults } from './arm-faults'
import { authorize, rolesOn } from './authority'
import { checkDirectory, readCaller } from './caller'
import { deletedAccountEndpoints } from './deleted-accounts'
import { deploymentEndpoints } from './deployments'
import { operationEndpoints } from './operations'
import { roleAssignmentEndpoints } from './role-assignments'
import { storageAccountEndpoints } from './storage-accounts'
import { resourceGroupEndpoints, subscriptionIn } from './subscriptions'
import { usageEndpoints } from './usages'
import { metricsEndpoints, type MetricsDeps } from '../monitor/metrics'

/** Azure Resource Manager under `/subscriptions`, as far as the resources of tenants need it. */
export interface Arm {
  serve(request: IncomingMessage, response: ServerResponse): Promise<void>
}

export interface ArmServerDeps extends ArmDeps, MetricsDeps {
  readonly entra: Entra
  readonly faults: ArmFaults
  readonly storage: StorageUrls
}

/** Where the services of storage accounts are, each without the account's name. */
export interface StorageUrls {
  readonly blob: string
  readonly queue: string
  readonly table: string
}

/** Larger than anything that ARM takes. */
const BODY_BYTES_MAX = 4 * 1_024 * 1_024
const API_VERSION = /^\d{4}-\d{2}-\d{2}(-preview)?$/

export function createArm(deps: ArmServerDeps): Arm {
  const endpoints: readonly ArmEndpoint[] = [
    ...roleAssignmentEndpoints(deps),
    ...accountEndpoints(deps),
    ...deploymentEndpoints(deps),
    ...deletedAccountEndpoints(deps),
    ...storageAccountEndpoints(deps),
    ...usageEndpoints(deps),
    ...metricsEndpoints(deps),
    ...operationEndpoints(deps.store),
    ...resourceGroupEndpoints(deps),
  ]
  return {
    serve: async (request, response) => {
      const body = await readBody(request, BODY_BYTES_MAX)
      if (body.kind === 'gone') return
      const text = body.kind === 'body' ? body.text : undefined
      send(response, await answerTo(deps, endpoints, { request, text }))
    },
  }
}

async function answerTo(
  deps: ArmServerDeps,
  endpoints: readonly ArmEndpoint[],
  { request, text }: { request: IncomingMessage; text: string | undefined },
): Promise<ArmAnswer> {
  try {
    return await serve(deps, endpoints, { request, text })
  } catch (error) {
    if (error instanceof ArmError) return error.answer
    throw error
  }
}

/** Refuses in ARM's order: who calls, which version, what is there, whether they may. */
async function serve(
  { entra, store, config, faults }: ArmServerDeps,
  endpoints: readonly ArmEndpoint[],
  { request, text }: { request: IncomingMessage; text: string | undefined },
): Promise<ArmAnswer> {
  const now = Date.now()
  store.settle(now)
  const method = request.method ?? 'GET'
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://arm')
  const id = decoded(pathname.replace(/\/+$/, ''))
  const origin = `http://${request.headers.host ?? 'localhost'}`
  faults.check(method, id)
  const caller = readCaller(entra, request.headers.authorization, origin)
  checkApiVersion(query.get('api-version'))
  const { directoryId } = subscriptionIn(config(), id)
  checkDirectory(caller, directoryId)

  const { endpoint, params } = findEndpoint(endpoints, id)
  const run = isArmMethod(method) ? endpoint.serve[method] : undefined
  const scope = params['scope'] ?? params['account'] ?? id
  if (!run) {
    const type = endpoint.type
    throw new ArmError(405, 'HttpResourceNotFound', `The request method '${method}' is not supported by '${type}'.`)
  }
  const roles = rolesOn(store, scope, { principalId: caller.oid, now, delayMs: config().roleDelayMs })
  authorize(roles, caller, { action: actionOf(endpoint, method), scope })
  const body = method === 'PUT' || method === 'POST' ? parsed(text) : {}
  const failure = method === 'PUT' ? faults.failureOf(id) : undefined
  return run({ id, params, query, body, origin, now, caller, failure })
}

function checkApiVersion(version: string | null): void {
  if (version === null || version === '') {
    const text = 'The api-version query parameter (?api-version=) is required for all requests.'
    throw new ArmError(400, 'MissingApiVersionParameter', text)
  }
  if (API_VERSION.test(version)) return
  throw new ArmError(400, 'InvalidApiVersionParameter', `The api-version '${version}' is invalid.`)
}

function findEndpoint(endpoints: readonly ArmEndpoint[], id: string) {
  for (const endpoint of endpoints) {
    const match = endpoint.path.exec(id)
    if (match) return { endpoint, params: { ...match.groups } }
  }
  throw new ArmError(404, 'InvalidResourceType', `The resource type of '${id}' could not be found.`)
}

const isArmMethod = (method: string): method is ArmMethod =>
  method === 'GET' || method === 'PUT' || method === 'POST' || method === 'DELETE'

function actionOf({ type, action }: ArmEndpoint, method: string): string {
  switch (method) {
    case 'PUT':
      return `${type}/write`
    case 'DELETE':
      return `${type}/delete`
    case 'POST':
      return `${type}/${action}/action`
    default:
      return `${type}/read`
  }
}

/** An action may come without a body. */
function parsed(text: string | undefined): JsonObject {
  if (text === undefined) throw new ArmError(413, 'RequestEntityTooLarge', 'The request content is too large.')
  if (text === '') return {}
  try {
    const body: unknown = JSON.parse(text)
    if (isJsonObject(body)) return body
  } catch {
    // Refused below, as JSON that is no object is.
  }
  throw new ArmError(400, 'InvalidRequestContent', 'The request content was invalid and could not be deserialized.')
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new ArmError(400, 'BadRequest', 'The path is not valid.')
  }
}

function send(response: ServerResponse, { status, body, headers = {} }: ArmAnswer): void {
  const text = body === undefined ? '' : JSON.stringify(body)
  response.writeHead(status, {
    ...(text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-cache',
    ...headers,
  })
  response.end(text)
}
