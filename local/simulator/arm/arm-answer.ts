import type { JsonObject } from '../json-value'
import type { TokenClaims } from '../entra/read-token'

/** A request that was let in: its caller may do what it asks for. */
export interface ArmCall {
  /** The resource's id as the path writes it, without a slash at the end. */
  readonly id: string
  /** The parts of the path that the endpoint names. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: JsonObject
  /** The simulator's own, as this caller reaches it. */
  readonly origin: string
  /** Unix milliseconds. */
  readonly now: number
  readonly caller: TokenClaims
  /** How an operation that begins here is to end badly. */
  readonly failure: ArmFailure | undefined
}

export interface ArmFailure {
  readonly code: string
  readonly message: string
}

export interface ArmAnswer {
  readonly status: number
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

export type ArmMethod = 'GET' | 'PUT' | 'POST' | 'DELETE'

/** One kind of address and what can be done there. */
export interface ArmEndpoint {
  /** Matches a whole path, in any case; its named groups become `params`. */
  readonly path: RegExp
  /** The type in the names of actions: `Microsoft.CognitiveServices/accounts`. */
  readonly type: string
  /** What POST does, in the names of actions: `listKeys`. */
  readonly action?: string
  readonly serve: Partial<Record<ArmMethod, (call: ArmCall) => ArmAnswer | Promise<ArmAnswer>>>
}

/** A refusal in ARM's envelope. */
export class ArmError extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }

  get answer(): ArmAnswer {
    const { status, code, message, headers } = this
    return { status, body: { error: { code, message } }, headers }
  }
}

export function resourceNotFound(id: string): ArmError {
  const [, group = '', resource = id] = /\/resourceGroups\/([^/]+)\/providers\/(.*)$/i.exec(id) ?? []
  return new ArmError(
    404,
    'ResourceNotFound',
    `The Resource '${resource}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  )
}

/** `/subscriptions/{s}/resourceGroups/{rg}/providers/`, the beginning of most paths. */
export const IN_GROUP = '/subscriptions/(?<subscription>[^/]+)/resourceGroups/(?<group>[^/]+)/providers'
export const endpointPath = (rest: string) => new RegExp(`^${rest}$`, 'i')
