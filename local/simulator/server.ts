import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { checkAccountCredential } from './arm/account-credential'
import { serveControl } from './control'
import { checkCredential, type CheckedCredential } from './credential'
import { bodyTooLarge, deploymentNotFound, invalidRequest, resourceNotFound, unparsableForm } from './errors'
import type { Exchange } from './exchange'
import { parseFaultHeader } from './faults'
import { fieldsOf, parseForm } from './form-body'
import { HttpExchange } from './http-exchange'
import type { InferenceCall } from './inference-call'
import type { JsonObject } from './json-value'
import { noAccount, type ModelAccount } from './model-account'
import { modelOperations } from './model-operations'
import { serveModels } from './models'
import { readBytes } from './request-body'
import { InvalidRequest, parseJson } from './request-fields'
import { parseRoute, type Route } from './route'
import { serveModel } from './serve-model'
import { serveStored } from './stored/serve-stored'
import type { World } from './world'

/** Longer than the pools of clients keep idle connections, so that none is closed under a request. */
const KEEP_ALIVE_MS = 75_000

/** An HTTP server in front of a simulated Azure; the caller makes it listen and closes both. */
export function createSimulatorServer(world: World): Server {
  return createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    serve(world, request, response).catch((error: unknown) => {
      console.error(`simulator: ${request.method} ${request.url} failed:`, error)
      response.destroy()
    })
  })
}

function serve(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? '/'
  if (url.startsWith('/entra/')) return world.entra.serve(request, response)
  if (url.startsWith('/subscriptions/')) {
    world.settle()
    return world.arm.serve(request, response)
  }
  if (MESSAGES.test(url)) return world.messages.serve(request, response)
  return serveModelCall(world, request, response)
}

const MESSAGES = /^\/(communication|eventgrid|hooks)\//

async function serveModelCall(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { resource } = world
  const url = request.url ?? '/'
  const place = readPlace(world, url)
  const route = parseRoute(request.method ?? 'GET', place.url)
  if (route.kind === 'control') return serveControl(world, request, response, route)
  const mark = url.indexOf('?')
  const { account } = place
  const exchange = new HttpExchange({ resource, account }, request, response, mark < 0 ? url : url.slice(0, mark))
  const dialect = place.url.startsWith('/compatible/') ? 'compatible' : 'azure'
  const credential = place.check({ headers: request.headers, route, dialect })
  exchange.record.credentialKind = credential.credentialKind
  if (credential.kind === 'refused') return exchange.refuse(credential.refusal)
  if (route.kind === 'not-found') return exchange.refuse(resourceNotFound)
  if (route.kind === 'models') {
    resource.trainer.settle()
    return serveModels({ account, tuned: [...resource.stores.of(account).models.values()] }, exchange, route)
  }
  try {
    if (route.kind === 'stored') {
      const headerFaults = readHeaderFaults(request)
      const store = resource.stores.of(account)
      const deploymentsOf = (model: string) => {
        world.settle()
        return world.planes.deploymentsOfTuned(account.name, model)
      }
      const call = { resource, account, store, exchange, request, route, headerFaults, deploymentsOf }
      return await serveStored({ ...call, dialect })
    }
    const body = await readBytes(request)
    if (body.kind === 'gone') return
    if (body.kind === 'too-large') return exchange.refuse(bodyTooLarge)
    serveModel(readCall({ resource, account, exchange }, request, { route, bytes: body.bytes, dialect }))
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error
    exchange.refuse(error.refusal)
  }
}

/** The account that an address is of, the address within it, and what it asks of a credential. */
interface Place {
  readonly account: ModelAccount
  readonly url: string
  readonly check: (shown: Parameters<typeof checkAccountCredential>[2]) => CheckedCredential
}

const IN_ACCOUNT = /^\/accounts\/([\w-]{1,64})(?=\/)/

function readPlace({ planes, resource, entra, store, takenKeysOf, rootKeys }: World, url: string): Place {
  const [prefix, name] = (url.startsWith('/accounts/') && IN_ACCOUNT.exec(url)) || []
  const { config } = resource
  if (prefix === undefined || name === undefined) {
    const keys = rootKeys()
    const { authentication: configured } = config
    const authentication = keys === configured.keys ? configured : { ...configured, keys: [...keys] }
    return {
      account: planes.root,
      url,
      check: ({ headers, dialect }) => checkCredential(headers, authentication, dialect),
    }
  }
  const found = planes.find(name)
  if (!found) return { account: noAccount(name), url: '/', check: () => nobodyHome }
  const { stored, account } = found
  const deps = { entra, store, config, keys: takenKeysOf(stored) }
  // Control is the whole simulator's: within an account it is no address.
  const rest = url.slice(prefix.length)
  const within = rest.startsWith('/simulator/') ? '/' : rest
  return { account, url: within, check: (shown) => checkAccountCredential(deps, stored, shown) }
}

/** An account that is not there has no address in Azure; here it is found missing before any credential is looked at. */
const nobodyHome: CheckedCredential = { kind: 'refused', credentialKind: 'none', refusal: resourceNotFound }

/** Finds the deployment and reads the body, in the order in which the service's front end refuses. */
function readCall(
  { resource, account, exchange }: Pick<InferenceCall, 'resource' | 'account' | 'exchange'>,
  request: IncomingMessage,
  { route, bytes, dialect }: { route: Route & { kind: 'inference' }; bytes: Buffer; dialect: InferenceCall['dialect'] },
): InferenceCall {
  const { operation } = route
  exchange.record.operation = operation
  if (route.deployment !== undefined) exchange.record.deployment = route.deployment
  const known = route.deployment === undefined ? undefined : account.deployment(route.deployment)
  if (route.deployment !== undefined && known === undefined) {
    throw new InvalidRequest(deploymentNotFound(dialect, route.deployment))
  }
  const { body, files } =
    modelOperations[operation].body === 'form'
      ? readForm(request, bytes)
      : { body: parseJson(bytes.toString()), files: [] }
  const deployment = known ?? deploymentOf(account, exchange, body, dialect)
  const { apiVersion } = route
  const headerFaults = readHeaderFaults(request)
  return { resource, account, exchange, operation, deployment, body, files, dialect, apiVersion, headerFaults }
}

function readForm(request: IncomingMessage, bytes: Buffer): Pick<InferenceCall, 'body' | 'files'> {
  const form = parseForm(request.headers['content-type'], bytes)
  if (form === undefined) throw new InvalidRequest(unparsableForm)
  return { body: fieldsOf(form), files: form.files }
}

function deploymentOf(account: ModelAccount, exchange: Exchange, body: JsonObject, dialect: InferenceCall['dialect']) {
  const { model } = body
  if (typeof model !== 'string') {
    throw new InvalidRequest(invalidRequest('you must provide a model parameter', { param: 'model' }))
  }
  exchange.record.deployment = model
  const deployment = account.deployment(model)
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
