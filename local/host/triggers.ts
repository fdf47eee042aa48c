import { parseBlobPattern } from './blobs/blob-pattern'
import { blobReceipts } from './blobs/blob-receipts'
import { watchBlobs } from './blobs/blob-listener'
import { systemHostClock } from './clock'
import { bindingText } from './core/binding-text'
import type { Invoker } from './core/invoke'
import type { HostFunction, Registry } from './core/registry'
import { createFunctionRunner, type FunctionRunner, runLogged } from './core/run-function'
import type { TypedData } from './core/worker-types'
import type { ManualStart } from './http/admin'
import type { HostEndpoint } from './http/http-server'
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
  const extraInputsOf = () => []
  const run = createFunctionRunner({ ...parts, extraInputsOf })
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
    durableEndpoint: {
      prefix: '/runtime/webhooks/durabletask/',
      serve: async (_req, res) => answerJson(res, 503, { error: 'durable functions are off in this instance' }),
    },
    extraInputsOf,
    stop: async () => {
      await Promise.all([...listeners.values()].map((listener) => listener.stop()))
    },
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
