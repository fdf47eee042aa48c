import { parseBlobPattern } from './blobs/blob-pattern'
import { blobReceipts } from './blobs/blob-receipts'
import { watchBlobs } from './blobs/blob-listener'
import { systemHostClock } from './clock'
import { bindingText } from './core/binding-text'
import type { Invoker } from './core/invoke'
import type { HostFunction, Registry } from './core/registry'
import type { KillSwitch } from './core/kill-switch'
import { createFunctionRunner, type FunctionRunner, runLogged } from './core/run-function'
import type { TypedData } from './core/worker-types'
import type { ManualStart } from './http/admin'
import type { HostEndpoint } from './http/http-server'
import { type Durable, DURABLE_API_PREFIX, startDurable } from './durable/start-durable'
import { clientBindingData } from './durable/management-links'
import { answerJson } from './http/host-answers'
import type { Keys } from './http/keys'
import type { HostLog } from './log'
import type { OutputWriter } from './outputs'
import { listenToQueue } from './queues/queue-listener'
import type { HostSettings } from './settings'
import { HOST_STORAGE, type StorageConnections } from './storage-connections'
import { blobMonitor, noMonitor } from './timers/schedule-status'
import { startTimer } from './timers/timer-listener'

const HOSTS_CONTAINER = 'azure-webjobs-hosts'
const BLOB_POISON_QUEUE = 'webjobs-blobtrigger-poison'

/** What every kind of trigger needs of the host. */
export interface HostParts {
  readonly settings: HostSettings
  readonly registry: Registry
  readonly connections: StorageConnections
  readonly keys: Keys
  readonly invoker: Invoker
  readonly outputs: OutputWriter
  readonly nextInvocationId: () => string
  readonly killSwitch: KillSwitch
  /** Called when a younger host runs the durable functions from now on. */
  readonly onTakenOver: () => void
  readonly log: HostLog
}

/** Everything that calls functions but HTTP. */
export interface Triggers {
  readonly startByHand: ManualStart
  readonly durableEndpoint: HostEndpoint
  readonly extraInputsOf: (fn: HostFunction) => readonly { name: string; data: TypedData }[]
  readonly stop: () => Promise<void>
}

interface Listener {
  stop(): Promise<void>
  startByHand(input: string): void
}

/** Starts what the functions of the app need; with `triggers: false` nothing runs and nothing can be started by hand. */
export async function startTriggers(parts: HostParts): Promise<Triggers> {
  const { settings, registry } = parts
  for (const fn of registry.functions.values()) assertInputsSupported(fn)
  const client = { data: '' }
  const extraInputsOf = (fn: HostFunction) =>
    [...fn.inputs.keys()].map((name) => ({ name, data: { string: client.data } }))
  const run = parts.killSwitch.watch(createFunctionRunner({ ...parts, extraInputsOf }))
  const durable = await startDurableFunctions(parts, run, client)
  const listeners = new Map<HostFunction, Listener>()
  for (const fn of settings.triggers ? registry.functions.values() : []) {
    const listener = startListener(parts, run, fn)
    if (listener) listeners.set(fn, listener)
  }
  return {
    startByHand: (fn, input) => {
      const listener = listeners.get(fn)
      listener?.startByHand(input)
      return listener !== undefined
    },
    durableEndpoint: durable?.endpoint ?? NO_DURABLE_FUNCTIONS,
    extraInputsOf,
    stop: async () => {
      await Promise.all([...listeners.values(), ...(durable ? [durable] : [])].map((part) => part.stop()))
    },
  }
}

const NO_DURABLE_FUNCTIONS: HostEndpoint = {
  prefix: DURABLE_API_PREFIX,
  serve: (_req, res) => {
    answerJson(res, 503, { message: 'durable functions are off in this instance' })
    return Promise.resolve()
  },
}

const DURABLE_TYPES = new Set(['orchestrationtrigger', 'activitytrigger', 'entitytrigger'])
const CLIENT_TYPES = new Set(['durableclient', 'orchestrationclient'])

/** Undefined when the app has no durable functions, or this instance shall not run them. */
async function startDurableFunctions(
  parts: HostParts,
  run: FunctionRunner,
  client: { data: string },
): Promise<Durable | undefined> {
  const { settings, registry, connections, keys } = parts
  const functions = [...registry.functions.values()]
  const hasDurable = functions.some(({ trigger }) => DURABLE_TYPES.has(trigger.type.toLowerCase()))
  const hasClients = functions.some(({ inputs }) => inputs.size > 0)
  if (!hasDurable && !hasClients) return undefined
  if (!connections.has(HOST_STORAGE)) throw new Error(`Durable functions need the app setting ${HOST_STORAGE}`)
  const baseUrl = `http://localhost:${settings.port}${DURABLE_API_PREFIX.slice(0, -1)}`
  const address = { baseUrl, hubName: settings.hubName, key: await keys.durableKey() }
  const onAddress = (rpcBaseUrl: string) => {
    client.data = clientBindingData(address, rpcBaseUrl)
  }
  if (settings.triggers) return startDurable({ ...parts, address, onAddress }, run)
  // Without a hub here the clients' calls come back to this host, which then says that it has none.
  onAddress(`${baseUrl}/`)
  return undefined
}

/** Inputs other than the durable client would arrive empty; better not to start. */
function assertInputsSupported(fn: HostFunction): void {
  for (const { type } of fn.inputs.values()) {
    if (CLIENT_TYPES.has(type.toLowerCase())) continue
    throw new Error(`Function "${fn.name}": input bindings of type "${type}" are not supported by the local host`)
  }
}

/** Undefined for functions that others call: HTTP and durable ones. Throws on triggers that this host does not have. */
function startListener(parts: HostParts, run: FunctionRunner, fn: HostFunction): Listener | undefined {
  switch (fn.trigger.type.toLowerCase()) {
    case 'timertrigger':
      return startTimerListener(parts, run, fn)
    case 'queuetrigger':
      return startQueueListener(parts, run, fn)
    case 'blobtrigger':
      return startBlobListener(parts, run, fn)
    case 'manualtrigger':
      return {
        stop: () => Promise.resolve(),
        startByHand: (input) => void runLogged({ run, log: parts.log }, fn, { data: { string: input } }),
      }
    case 'httptrigger':
    case 'orchestrationtrigger':
    case 'activitytrigger':
    case 'entitytrigger':
      return undefined
    default:
      throw new Error(`Function "${fn.name}": triggers of type ${fn.trigger.type} are not supported by the local host`)
  }
}

function startTimerListener({ connections, settings, log }: HostParts, run: FunctionRunner, fn: HostFunction) {
  const monitorOf = (functionName: string) => {
    if (!connections.has(HOST_STORAGE)) return noMonitor
    const container = connections.blobs(HOST_STORAGE).getContainerClient(HOSTS_CONTAINER)
    return blobMonitor(container, settings.hostId, functionName)
  }
  return startTimer({ clock: systemHostClock, run, monitorOf, log }, fn)
}

function startQueueListener({ connections, settings, log }: HostParts, run: FunctionRunner, fn: HostFunction) {
  const name = bindingText(fn.trigger, 'queueName')
  const service = connections.queues(bindingText(fn.trigger, 'connection', HOST_STORAGE))
  const queue = service.getQueueClient(name)
  const poison = service.getQueueClient(`${name}-poison`)
  return listenToQueue({ queue, poison, settings: settings.queues, clock: systemHostClock, run, log }, fn)
}

function startBlobListener({ connections, settings, log }: HostParts, run: FunctionRunner, fn: HostFunction) {
  const connection = bindingText(fn.trigger, 'connection', HOST_STORAGE)
  const pattern = parseBlobPattern(bindingText(fn.trigger, 'path'))
  const { hostId, queues } = settings
  const store = connections.blobs(HOST_STORAGE).getContainerClient(HOSTS_CONTAINER)
  const deps = {
    container: connections.blobs(connection).getContainerClient(pattern.container),
    pattern,
    receipts: blobReceipts(store, { hostId, functionName: fn.name, container: pattern.container }),
    poison: connections.queues(connection).getQueueClient(BLOB_POISON_QUEUE),
    intervalMs: queues.maxPollingIntervalMs,
    clock: systemHostClock,
    run,
    log,
  }
  return watchBlobs(deps, fn)
}
