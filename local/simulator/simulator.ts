import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { SimulatorConfigInput } from './config'
import { Resource } from './resource'
import { createSimulatorServer } from './server'
import { StateFile } from './state-file'
import { createWorld } from './world'
import type { StorageUrls } from './arm/arm'

export interface SimulatorOptions {
  /** Zero or absent takes a free port. */
  readonly port?: number
  /** Absent fields take their own defaults; absent deployments are the default resource's. */
  readonly config?: SimulatorConfigInput
  /** Takes the place of the configuration's seed. */
  readonly seed?: number
  /** Loopback by default: the control surface asks for no credential. */
  readonly host?: string
  /** Where storage accounts' services are, each without the account's name; by default Azurite's usual ports. */
  readonly storage?: Partial<StorageUrls>
  /** Keeps what is made through ARM, and what signs tokens, for the next start. Without it nothing is kept. */
  readonly stateFile?: string
}

export interface Simulator {
  /** Without a closing slash. */
  readonly url: string
  /** Ends all connections, calls in flight included. */
  close(): Promise<void>
}

/** Starts a simulated Azure OpenAI resource. Rejects with a ConfigError that names every field at fault. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { port = 0, config = {}, seed, host = '127.0.0.1', storage = {}, stateFile } = options
  const resource = await Resource.open(seed === undefined ? config : { ...config, seed })
  const world = await createWorld(resource, {
    storage,
    stateFile: stateFile === undefined ? undefined : new StateFile(stateFile),
  })
  const server = createSimulatorServer(world)
  server.listen(port, host)
  await once(server, 'listening')
  return {
    url: `http://${host}:${portOf(server.address())}`,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
      world.close()
    },
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the simulator listens on no port')
  return address.port
}
