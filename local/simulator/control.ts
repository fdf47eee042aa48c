import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { provisioningState } from './arm/stored-resource'
import { ConfigError } from './config-error'
import { LEDGER_PAGE_MAX } from './ledger'
import { readBody } from './request-body'
import type { Resource } from './resource'
import type { World } from './world'

const DEFAULT_PAGE = 1_000
const ADVANCE_SECONDS_MAX = 3_650 * 86_400

/** The simulator's own surface, `/simulator/*`: no credential, since it listens on one machine for tests and demos. */
export async function serveControl(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  route: { path: string; query: URLSearchParams },
): Promise<void> {
  const { resource } = world
  switch (`${request.method} ${route.path}`) {
    case 'GET health':
      return send(response, 200, { status: 'ok', inFlight: resource.inFlight, served: resource.ledger.last })
    case 'GET config':
      return send(response, 200, resource.config)
    case 'PATCH config':
      return patchConfig(world, request, response)
    case 'POST reset':
      await world.reset()
      return send(response, 200, { status: 'ok' })
    case 'GET ledger':
      world.settle()
      return sendLedger(resource, response, route.query)
    case 'GET stored':
      // An account whose deletion is due is gone, whether or not Resource Manager was asked since.
      world.settle()
      return send(response, 200, { things: resource.stores.things(), deployments: deploymentsIn(world) })
    case 'GET messages':
      return send(response, 200, { messages: world.messages.inbox.letters() })
    case 'GET learned':
      world.settle()
      return send(response, 200, { models: resource.stores.learned() })
    case 'GET costs':
      world.settle()
      return send(response, 200, { charges: [...resource.trainer.bill.charges, ...world.planes.hosting.running] })
    case 'POST advance':
      return advance(world, request, response)
    case 'DELETE ledger':
      resource.ledger.clear()
      return send(response, 200, { status: 'ok' })
    default:
      return send(response, 404, {
        error: { code: 'not_found', message: `Nothing at ${request.method} ${route.path}.` },
      })
  }
}

async function patchConfig(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  if (body.kind !== 'body') return sendInvalid(response, ['body: expected a JSON object of at most 64 MB'])
  try {
    const patch = parseObject(body.text)
    const config = await world.resource.patch(patch)
    await world.configChanged(patch)
    send(response, 200, config)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    sendInvalid(response, error.faults)
  }
}

/** What was made through Resource Manager; those of the configuration are left to it. */
function deploymentsIn({ store }: World): object[] {
  return store.list('deployment').map(({ accountId, name, model, sku, phase }) => ({
    account: accountId.split('/').at(-1),
    name,
    model: model.name,
    sku: sku.name,
    status: provisioningState(phase),
  }))
}

const clocks = z.strictObject({
  trainingSeconds: z.number().min(0).max(ADVANCE_SECONDS_MAX).default(0),
  hostingSeconds: z.number().min(0).max(ADVANCE_SECONDS_MAX).default(0),
})

/** Moves the clocks of training and of hosting on, by seconds of their own. */
async function advance(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  const asked = clocks.safeParse(body.kind === 'body' ? parseObject(body.text) : undefined)
  if (!asked.success) return sendInvalid(response, ['body: expected trainingSeconds, hostingSeconds or both, from 0'])
  // What has ended by now has ended before the leap.
  world.settle()
  world.resource.trainer.clock.advance(asked.data.trainingSeconds * 1_000)
  world.planes.hosting.clock.advance(asked.data.hostingSeconds * 1_000)
  world.settle()
  send(response, 200, { status: 'ok' })
}

function parseObject(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {
    // The text below says what would be valid, for this and for JSON that is no object.
  }
  throw new ConfigError(['body: expected a JSON object'])
}

function sendLedger(resource: Resource, response: ServerResponse, query: URLSearchParams): void {
  const since = Number(query.get('since') ?? 0)
  const limit = Number(query.get('limit') ?? DEFAULT_PAGE)
  if (!Number.isInteger(since) || since < 0) return sendInvalid(response, ['since: expected a whole number from 0'])
  if (!Number.isInteger(limit) || limit < 1 || limit > LEDGER_PAGE_MAX) {
    return sendInvalid(response, [`limit: expected a whole number from 1 to ${LEDGER_PAGE_MAX}`])
  }
  send(response, 200, { ...resource.ledger.page(since, limit), stored: resource.stores.counts() })
}

function sendInvalid(response: ServerResponse, faults: readonly string[]): void {
  send(response, 400, { error: { code: 'invalid_config', message: faults.join('; '), faults } })
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
