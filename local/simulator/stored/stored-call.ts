import type { IncomingMessage } from 'node:http'
import type { Exchange } from '../exchange'
import type { AimedFault } from '../faults'
import type { ModelAccount } from '../model-account'
import type { Resource } from '../resource'
import type { Route } from '../route'
import type { AccountStore } from './account-store'

/** One call for something that an account keeps, its credential checked. */
export interface StoredCall {
  readonly resource: Resource
  readonly account: ModelAccount
  readonly store: AccountStore
  readonly exchange: Exchange
  readonly request: IncomingMessage
  readonly route: Route & { readonly kind: 'stored' }
  readonly dialect: 'azure' | 'compatible'
  readonly headerFaults: readonly AimedFault[]
}

/** Serves a call, or throws InvalidRequest for one that the service would refuse. */
export type ServeStored = (call: StoredCall) => void | Promise<void>

export const sendObject = ({ exchange }: StoredCall, value: unknown): void => exchange.json(200, JSON.stringify(value))
