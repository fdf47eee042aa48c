import type { ResponseId } from '../base/ids'
import type { Problem } from '../base/problem'
import type { TokenUsage } from '../metering/usage-record'
import type { Backend } from '../routing/backend'
import type { TenantScope } from '../storage/tenant-scope'
import type { Grant } from './authorize'
import type { Estimate } from './estimate'
import type { Call } from './read-call'

/** What a call of the Responses API says of what is to be kept of it. */
export interface Keeping {
  readonly isStored: boolean
  /** Answered at once, and thought about afterwards. */
  readonly isBackground: boolean
  /** The response that it goes on from, as the client names it: unproven. */
  readonly previousId: string | undefined
}

/** A call with everything that it names proven to be its tenant's, and said in the words of the account that holds it. */
export interface Bound {
  readonly call: Call
  /** Whether the account behind a backend holds what the call names; undefined where any will do. */
  readonly isHolder: ((backend: Backend) => boolean) | undefined
  /** Of a call that makes a response. */
  readonly response: ResponseBinding | undefined
}

/** Proves what a call names. Waits for storage only where it names something. */
export type Bind = (input: {
  readonly scope: TenantScope
  readonly call: Call
  readonly grant: Grant
  readonly requestId: string
}) => Bound | Problem | Promise<Bound | Problem>

/** A response that comes about: under which id its client knows it, and what becomes known of it on the way. */
export interface ResponseBinding {
  readonly id: ResponseId
  /** Metered when it ends, which may be long after its call has. */
  readonly isBackground: boolean
  /** May be asked for again, so that the account keeps it: no second backend is asked for the same. */
  readonly isStored: boolean
  /** Of ids that answers show: the account's and, in its place, the client's. */
  readonly renames: readonly Renaming[]
  /** The account has told its id, once. What has to be kept of it is written from here on, beside whatever comes next. */
  begun(begun: BegunResponse): void
  /** It is over: of one that was over when it had begun, that said so. */
  ended(ended: EndedResponse): void
  /** Resolves when all that is kept of it is durable; before its answer's last byte. Rejects where storage does not take it. */
  kept(): Promise<void>
}

export interface Renaming {
  readonly upstreamId: string
  readonly ourId: string
}

export interface BegunResponse {
  readonly upstreamId: string
  readonly backend: Backend
  /** By which it is answered. */
  readonly grant: Grant
  /** What the call is reserved for. */
  readonly estimate: Estimate
  /** Where it came whole. */
  readonly ended: EndedResponse | undefined
}

export interface EndedResponse {
  readonly status: ResponseStatus
  /** As the account reports it; undefined where it does not, or not yet. */
  readonly usage: TokenUsage | undefined
  /** The items that it consists of. */
  readonly itemIds: readonly string[]
}

export const responseStatuses = ['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled'] as const
export type ResponseStatus = (typeof responseStatuses)[number]

/** Whether nothing more comes of it. */
export const isOverStatus = (status: ResponseStatus): boolean => status !== 'queued' && status !== 'in_progress'
