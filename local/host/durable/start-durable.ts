import { createServer } from 'node:http'
import { systemHostClock } from '../clock'
import type { Registry } from '../core/registry'
import type { FunctionRunner } from '../core/run-function'
import { answerJson } from '../http/host-answers'
import type { HostEndpoint } from '../http/http-server'
import type { Keys } from '../http/keys'
import { describeError, type HostLog } from '../log'
import type { HostSettings } from '../settings'
import { HOST_STORAGE, type StorageConnections } from '../storage-connections'
import { createDurableApi } from './durable-api'
import { durableFunctionsOf } from './functions'
import { takeOwnership } from './hub-owner'
import type { ApiAddress } from './management-links'
import { createTableStore } from './table-store'
import { TaskHub } from './task-hub'

export const DURABLE_API_PREFIX = '/runtime/webhooks/durabletask/'
const RPC_PREFIX = '/durabletask/'

interface Deps {
  readonly settings: HostSettings
  readonly registry: Registry
  readonly connections: StorageConnections
  readonly keys: Keys
  readonly log: HostLog
}

export interface Durable {
  readonly endpoint: HostEndpoint
  /**
   * Takes no more turns, and resolves when running activities have ended and their results are stored. The API stays
   * up to the end of the process: calls that are still being served may start instances, which the next host runs.
   */
  stop(): Promise<void>
}

/**
 * Starts the task hub of this host, on the table `<hub>LocalHub`. `onAddress` is told where the client library reaches
 * the API before anything runs; `onTakenOver` is called when a younger host has taken the hub.
 */
export async function startDurable(
  deps: Deps & { address: ApiAddress; onAddress: (rpcBaseUrl: string) => void; onTakenOver: () => void },
  run: FunctionRunner,
): Promise<Durable> {
  const { settings, registry, connections, keys, log, address } = deps
  const clock = systemHostClock
  const functions = durableFunctionsOf(registry, run)
  const tableName = `${settings.hubName}LocalHub`
  const table = connections.table(HOST_STORAGE, tableName)
  const blobs = connections.blobs(HOST_STORAGE).getContainerClient(`${settings.hubName.toLowerCase()}-localhub`)
  const hub = new TaskHub({ store: createTableStore({ table, blobs }), clock, functions, log })
  const api = createDurableApi({ hub, functions, address })
  deps.onAddress(await listenForRpc(api, log))

  await table.createTable()
  const ownership = await takeOwnership({ table, clock, log }, () => {
    log.write('warning', 'durable', `another host has taken over the task hub ${settings.hubName}`)
    hub.stop().then(deps.onTakenOver, deps.onTakenOver)
  })
  await hub.start()
  const endpoint: HostEndpoint = {
    prefix: DURABLE_API_PREFIX,
    serve: async (req, res) => {
      if (settings.enforceKeys && !(await keys.allows('system', '', req))) return answerJson(res, 401)
      await api(req, res, (req.url ?? '').slice(DURABLE_API_PREFIX.length - 1))
    },
  }
  const stop = async () => {
    await ownership.release()
    await hub.stop()
    await hub.tasks.idle()
  }
  return { endpoint, stop }
}

/** The second way to the API, for the client library in this process: loopback only, so it asks for no key. */
async function listenForRpc(api: ReturnType<typeof createDurableApi>, log: HostLog): Promise<string> {
  const server = createServer((req, res) => {
    const path = (req.url ?? '').slice(RPC_PREFIX.length - 1)
    api(req, res, path).catch((error: unknown) => {
      log.write('error', 'durable', describeError(error))
      if (res.headersSent) res.destroy()
      else answerJson(res, 500, { message: 'the task hub failed' })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return `http://127.0.0.1:${port}${RPC_PREFIX}`
}
