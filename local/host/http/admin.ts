import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseKillMoment, type KillSwitch } from '../core/kill-switch'
import type { HostFunction, Registry } from '../core/registry'
import type { HostSettings } from '../settings'
import type { HostEndpoint } from './http-server'
import type { Keys } from './keys'
import { answerJson, readText } from './host-answers'

/** Starts one run of a function by hand; false when functions of its kind cannot be started that way. */
export type ManualStart = (fn: HostFunction, input: string) => boolean

const INPUT_BYTES_MAX = 1_048_576

/**
 * `/admin/host/status`, `/admin/functions` and `POST /admin/functions/{name}` with `{"input":"..."}`; beyond what the real
 * host has, `POST /admin/host/kill-switch` for tests of crashes.
 */
export function createAdmin(deps: {
  settings: HostSettings
  keys: Keys
  registry: Registry
  startByHand: ManualStart
  killSwitch: KillSwitch
  startedAtMs: number
}): HostEndpoint {
  const { settings, keys, registry, startByHand, killSwitch, startedAtMs } = deps
  const status = () => ({
    id: settings.hostId,
    state: 'Running',
    version: '4.0.0-local',
    processUptime: Math.round(performance.now()),
    startedAt: new Date(startedAtMs).toISOString(),
  })
  return {
    prefix: '/admin/',
    serve: async (req, res) => {
      const path = (req.url ?? '').split('?', 1)[0] ?? ''
      // Health is asked for before anybody can know a key, and says nothing that needs one.
      if (/^\/admin\/host\/(status|ping)$/i.test(path)) return answerJson(res, 200, status())
      if (settings.enforceKeys && !(await keys.allows('admin', '', req))) return answerJson(res, 401)
      if (/^\/admin\/functions\/?$/i.test(path) && req.method === 'GET') {
        return answerJson(res, 200, [...registry.functions.values()].map(describe))
      }
      if (/^\/admin\/host\/kill-switch$/i.test(path) && req.method === 'POST') return arm(req, res, killSwitch)
      const [, name] = /^\/admin\/functions\/([^/]+)$/i.exec(path) ?? []
      if (name === undefined || req.method !== 'POST') return answerJson(res, 404)
      return startFunction(req, res, registry.functions.get(decodeURIComponent(name).toLowerCase()), startByHand)
    },
  }
}

async function arm(req: IncomingMessage, res: ServerResponse, killSwitch: KillSwitch): Promise<void> {
  const moment = parseKillMoment((await readText(req, INPUT_BYTES_MAX)) ?? '')
  if (!moment) return answerJson(res, 400, { error: 'Say {"function","inputHolds","when":"before"|"after"}' })
  killSwitch.arm(moment)
  answerJson(res, 202)
}

async function startFunction(
  req: IncomingMessage,
  res: ServerResponse,
  fn: HostFunction | undefined,
  startByHand: ManualStart,
): Promise<void> {
  if (!fn) return answerJson(res, 404)
  const body = await readText(req, INPUT_BYTES_MAX)
  if (body === undefined) return answerJson(res, 413)
  const input = readInput(body)
  if (input === undefined) return answerJson(res, 400, { error: 'The body must be JSON like {"input":"..."}' })
  if (startByHand(fn, input)) return answerJson(res, 202)
  answerJson(res, 400, { error: `A function with a ${fn.trigger.type} cannot be started by hand in this instance` })
}

/** The text of `input`; of an object its JSON; an empty body gives the empty text. Undefined: not JSON. */
function readInput(body: string): string | undefined {
  if (body.trim() === '') return ''
  try {
    const { input = '' } = JSON.parse(body) as { input?: unknown }
    return typeof input === 'string' ? input : JSON.stringify(input)
  } catch {
    return undefined
  }
}

function describe({ name, metadata }: HostFunction) {
  const bindings = Object.entries(metadata.bindings).map(([binding, options]) => ({ name: binding, ...options }))
  return { name, language: 'node', config: { name, bindings } }
}
