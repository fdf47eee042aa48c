import type { IncomingMessage } from 'node:http'
import { bodyTooLarge } from '../errors'
import type { Exchange } from '../exchange'
import { sendJson } from '../fault-play'
import type { AimedFault, ChosenFault } from '../faults'
import type { JsonObject } from '../json-value'
import type { ModelAccount } from '../model-account'
import { readBody } from '../request-body'
import { InvalidRequest, parseJson } from '../request-fields'
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
  /** The deployments of a tuned model of the account, wherever they are. */
  readonly deploymentsOf: (model: string) => readonly string[]
  /** A fault that spoils or delays the answer. */
  readonly fault?: ChosenFault | undefined
}

/** Serves a call, or throws InvalidRequest for one that the service would refuse. */
export type ServeStored = (call: StoredCall) => void | Promise<void>

export function sendObject({ exchange, resource, fault }: StoredCall, value: unknown): void {
  sendJson(exchange, { body: JSON.stringify(value), headers: [], fault }, resource.wheel)
}

/** What was made: the classic family says 201 and where it is, v1 says 200. */
export function sendCreated(call: StoredCall, value: JsonObject & { readonly id: string }): void {
  const { exchange, route, request } = call
  exchange.record.answerId = value.id
  if (route.family !== 'classic' || spoilsAnswer(call.fault)) return sendObject(call, value)
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const at = `http://${request.headers.host}${path.replace(/\/deployments\/[^/]+/, '')}/${value.id}?${query}`
  exchange.json(201, JSON.stringify(value), ['location', at])
}

/** A fault that comes later than what was asked for is done. */
const spoilsAnswer = (fault: ChosenFault | undefined): boolean =>
  fault !== undefined && fault.fault.kind !== 'slow-first-token'

/** A file's bytes; the fault `cut` ends them half-way. */
export function sendContent({ exchange, fault }: StoredCall, bytes: Buffer): void {
  const type = 'application/octet-stream'
  if (fault?.fault.kind !== 'cut') return exchange.content(bytes, type)
  exchange.noteFault(fault, true)
  exchange.openStream(['content-length', String(bytes.length)], type)
  exchange.write(bytes.toString('latin1', 0, Math.floor(bytes.length / 2)), 0, 'latin1')
  exchange.cut()
}

/** A body of JSON; undefined where the caller has gone. Throws InvalidRequest. */
export async function readJson({ request }: StoredCall): Promise<JsonObject | undefined> {
  const body = await readBody(request)
  if (body.kind === 'gone') return undefined
  if (body.kind === 'too-large') throw new InvalidRequest(bodyTooLarge)
  return parseJson(body.text)
}
