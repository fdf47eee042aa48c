import type { Invoker } from './core/invoke'
import type { HostFunction, Registry } from './core/registry'
import type { TypedData } from './core/worker-types'
import type { ManualStart } from './http/admin'
import type { HostEndpoint } from './http/http-server'
import { answerJson } from './http/host-answers'
import type { Keys } from './http/keys'
import type { HostLog } from './log'
import type { OutputWriter } from './outputs'
import type { HostSettings } from './settings'
import type { StorageConnections } from './storage-connections'

/** What every kind of trigger needs of the host. */
export interface HostParts {
  readonly settings: HostSettings
  readonly env: NodeJS.ProcessEnv
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

export async function startTriggers(_parts: HostParts): Promise<Triggers> {
  return {
    startByHand: () => false,
    durableEndpoint: {
      prefix: '/runtime/webhooks/durabletask/',
      serve: async (_req, res) => answerJson(res, 503, { error: 'durable functions are off in this instance' }),
    },
    extraInputsOf: () => [],
    stop: () => Promise.resolve(),
  }
}
