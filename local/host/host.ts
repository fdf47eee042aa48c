import type { Server } from 'node:http'
import { createInvocationIds } from './core/invocation-ids'
import { createInvoker, type Invoker } from './core/invoke'
import { installFunctionsCore } from './core/functions-core'
import { createKillSwitch } from './core/kill-switch'
import { loadApp } from './core/load-app'
import { Registry } from './core/registry'
import { createAdmin } from './http/admin'
import { routeFunctions } from './http/endpoints'
import { serveFunction } from './http/function-endpoint'
import { createHttpServer } from './http/http-server'
import { createKeys, type Keys, noKeys } from './http/keys'
import { startLibrary } from './http/library-server'
import { type HostLog, messageOf } from './log'
import { assertOutputsSupported, createOutputWriter } from './outputs'
import type { HostSettings } from './settings'
import { createConnections, HOST_STORAGE, type StorageConnections } from './storage-connections'
import { startTriggers } from './triggers'
import { waitForStorage } from './wait-for-storage'

const SECRETS_CONTAINER = 'azure-webjobs-secrets'
const TERMINATE_HOOKS_MS_MAX = 5_000

export interface Host {
  readonly port: number
  /**
   * Takes no more work, lets what is under way end (at most `graceMs`), then runs the app's appTerminate hooks:
   * in that order, so that the hooks can flush what the last calls left behind.
   */
  stop(graceMs: number): Promise<void>
}

/**
 * Starts one host: the app is loaded while the storage may still be starting, and served when both are there.
 * `onTakenOver` is called when another host has taken over the durable functions; this one should then end.
 */
export async function startHost({
  settings,
  env,
  log,
  onTakenOver,
}: {
  settings: HostSettings
  env: NodeJS.ProcessEnv
  log: HostLog
  onTakenOver: () => void
}): Promise<Host> {
  const startedAtMs = Date.now()
  const registry = new Registry(log, env)
  installFunctionsCore(registry, log)
  const model = await loadApp(settings.appFolder, registry)
  for (const fn of registry.functions.values()) assertOutputsSupported(fn)

  const storage = env[HOST_STORAGE]
  if (storage) await waitForStorage(storage)
  await registry.runHooks('appStart', { hookData: {}, functionAppDirectory: settings.appFolder })
  const library = await startLibrary(model)
  registry.lock()

  const connections = createConnections(env)
  const keys = openKeys(connections, settings)
  // Whoever needs a key must find them all once the host runs, as with the real one.
  if (settings.enforceKeys) await keys.durableKey()
  const invoker = createInvoker(registry, log)
  const outputs = createOutputWriter(connections, settings.queues)
  const nextInvocationId = createInvocationIds()
  const killSwitch = createKillSwitch()
  const common = {
    killSwitch,
    settings,
    registry,
    connections,
    keys,
    invoker,
    outputs,
    nextInvocationId,
    onTakenOver,
    log,
  }
  const triggers = await startTriggers(common)

  const routes = routeFunctions(registry.ofTrigger('httpTrigger'), settings.routePrefix, triggers.extraInputsOf)
  const admin = createAdmin({ settings, keys, registry, startByHand: triggers.startByHand, killSwitch, startedAtMs })
  const serve = serveFunction.bind(undefined, { invoker, library, outputs, log })
  const hostEndpoints = [admin, triggers.durableEndpoint]
  const server = createHttpServer({ settings, keys, routes, hostEndpoints, serve, nextInvocationId, log })
  const port = await listen(server, settings)
  return { port, stop: (graceMs) => stop({ server, triggers, invoker, registry, log }, graceMs) }
}

function openKeys(connections: StorageConnections, { hostId }: HostSettings): Keys {
  if (!connections.has(HOST_STORAGE)) return noKeys
  const container = connections.blobs(HOST_STORAGE).getContainerClient(SECRETS_CONTAINER)
  return createKeys({ container, hostId, now: Date.now })
}

function listen(server: Server, { port, address }: HostSettings): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, () => {
      const bound = server.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port)
    })
  })
}

async function stop(
  parts: { server: Server; triggers: { stop(): Promise<void> }; invoker: Invoker; registry: Registry; log: HostLog },
  graceMs: number,
): Promise<void> {
  const { server, triggers, invoker, registry, log } = parts
  server.close()
  const drained = await within(
    graceMs,
    triggers.stop().then(() => invoker.idle()),
  )
  if (!drained) log.write('warning', 'host', `${invoker.inFlight} invocations were still running after ${graceMs} ms`)
  const terminate = registry.runHooks('appTerminate', { hookData: {} }).catch((error: unknown) => {
    log.write('error', 'host', `an appTerminate hook failed: ${messageOf(error)}`)
  })
  const ended = await within(TERMINATE_HOOKS_MS_MAX, terminate)
  if (!ended) log.write('warning', 'host', `appTerminate hooks were not through after ${TERMINATE_HOOKS_MS_MAX} ms`)
  server.closeAllConnections()
}

async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const inTime = await Promise.race([work.then(() => true), tooLate])
  clearTimeout(timer)
  return inTime
}
