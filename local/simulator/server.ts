import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { serveChat, type InferenceCall } from './chat'
import { serveControl } from './control'
import { createEntra } from './entra/entra'
import { checkCredential } from './credential'
import { serveEmbeddings } from './embeddings'
import { bodyTooLarge, deploymentNotFound, invalidRequest, resourceNotFound, unparsableJson } from './errors'
import { Exchange } from './exchange'
import { parseFaultHeader } from './faults'
import { isJsonObject, type JsonObject } from './json-value'
import { serveModels } from './models'
import { readBody } from './request-body'
import { InvalidRequest } from './request-fields'
import type { Resource } from './resource'
import { parseRoute, type Route } from './route'

/** Longer than the pools of clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 75_000

/** An HTTP server in front of a simulated resource; the caller makes it listen and closes both. */
export function createSimulatorServer(resource: Resource): Server {
  const entra = createEntra()
  return createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const served = request.url?.startsWith('/entra/')
      ? entra.serve(request, response)
      : serve(resource, request, response)
    served.catch((error: unknown) => {
      console.error(`simulator: ${request.method} ${request.url} failed:`, error)
      response.destroy()
    })
  })
}

async function serve(resource: Resource, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? '/'
  const route = parseRoute(request.method ?? 'GET', url)
  if (route.kind === 'control') return serveControl(resource, request, response, route)
  const mark = url.indexOf('?')
  const exchange = new Exchange(resource, request, response, mark < 0 ? url : url.slice(0, mark))
  const dialect = url.startsWith('/compatible/') ? 'compatible' : 'azure'
  const credential = checkCredential(request.headers, resource.config.authentication, dialect)
  exchange.record.credentialKind = credential.credentialKind
  if (credential.kind === 'refused') return exchange.refuse(credential.refusal)
  if (route.kind === 'not-found') return exchange.refuse(resourceNotFound)
  if (route.kind === 'models') return serveModels(resource, exchange, route)

  const body = await readBody(request)
  if (body.kind === 'gone') return
  if (body.kind === 'too-large') return exchange.refuse(bodyTooLarge)
  try {
    const call = readCall(resource, exchange, request, { route, text: body.text, dialect })
    if (route.operation === 'chat') serveChat(call)
    else serveEmbeddings(call)
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error
    exchange.refuse(error.refusal)
  }
}

/** Finds the deployment and reads the body, in the order in which the service's front end refuses. */
function readCall(
  resource: Resource,
  exchange: Exchange,
  request: IncomingMessage,
  { route, text, dialect }: { route: Route & { kind: 'inference' }; text: string; dialect: InferenceCall['dialect'] },
): InferenceCall {
  if (route.deployment !== undefined) exchange.record.deployment = route.deployment
  const known = route.deployment === undefined ? undefined : resource.deployment(route.deployment)
  if (route.deployment !== undefined && known === undefined) {
    throw new InvalidRequest(deploymentNotFound(dialect, route.deployment))
  }
  const body = parseJson(text)
  const deployment = known ?? deploymentOf(resource, exchange, body, dialect)
  const { apiVersion } = route
  return { resource, exchange, deployment, body, dialect, apiVersion, headerFaults: readHeaderFaults(request) }
}

function parseJson(text: string): JsonObject {
  try {
    const body: unknown = JSON.parse(text)
    if (isJsonObject(body)) return body
  } catch {
    // Refused below, as JSON that is no object is.
  }
  throw new InvalidRequest(unparsableJson)
}

function deploymentOf(resource: Resource, exchange: Exchange, body: JsonObject, dialect: InferenceCall['dialect']) {
  const { model } = body
  if (typeof model !== 'string') {
    throw new InvalidRequest(invalidRequest('you must provide a model parameter', { param: 'model' }))
  }
  exchange.record.deployment = model
  const deployment = resource.deployment(model)
  if (deployment === undefined) throw new InvalidRequest(deploymentNotFound(dialect, model))
  return deployment
}

function readHeaderFaults(request: IncomingMessage): InferenceCall['headerFaults'] {
  const header = request.headers['x-simulator-fault']
  if (typeof header !== 'string' || header === '') return []
  const parsed = parseFaultHeader(header)
  if (parsed.kind === 'faults') return parsed.faults
  throw new InvalidRequest(
    invalidRequest(`x-simulator-fault: expected ${parsed.expected}`, { code: 'invalid_simulator_fault' }),
  )
}
