import type { Departure } from '../base/departure'
import type { BackendId, TenantId } from '../base/ids'
import type { Quota } from './read-quota'

/** Its place for classes that stand behind others; calls of today are all `high`, and calls that can wait have a queue of their own. */
export type Priority = 'high'

export interface TurnRequest {
  /** The backends that may serve the call. Calls with the same set, in whatever order, stand in one queue. */
  readonly backendIds: readonly BackendId[]
  readonly tenantId: TenantId
  /** The tenant's share, against others that want the same backends at the same time. */
  readonly weight: number
  /** Prompt + allowed output: what is reserved of the limits. At least 1. */
  readonly tokens: number
  readonly priority: Priority
  /** Of the client, where the server tells. */
  readonly gone?: Departure | undefined
  /** Less than the bounds of the queue, for a call that has somewhere else to go. */
  readonly patience?: Patience | undefined
}

export interface Patience {
  /** For its turn, its tries taken together. */
  readonly waitMsMax: number
  /** How often it is sent to backends that refuse it. */
  readonly triesMax: number
}

export type TurnResult = Turn | TurnRefused

/** The right to be sent to the backends now. */
export interface Turn {
  readonly kind: 'turn'
  /**
   * The backends refused or rest, and nothing of an answer has reached the client: the call goes back to its place by
   * arrival and keeps the deadline that it came with.
   */
  again(sign: CapacitySign): TurnRefused | Promise<TurnResult>
  /** What an answer's headers say of the backend that gave it. */
  learn(backendId: BackendId, said: BackendSays): void
  /** Exactly once, on every exit, also after a refusal of `again`: corrects the tenant's share by what was really used. */
  release(usedTokens: number): void
}

/** What backends tell of themselves while they still serve. */
export interface BackendSays {
  /** Pay-as-you-go. */
  readonly quota: Quota | undefined
  /** Provisioned throughput; 1 is full. */
  readonly utilization: number | undefined
}

export type CapacitySign =
  /** The backends refused this call (429) and ask for a wait. */
  | { readonly kind: 'throttled'; readonly waitMs: number }
  /** Every backend rests already, for whatever reason; the call was not sent. */
  | { readonly kind: 'resting'; readonly waitMs: number }

export interface TurnRefused {
  readonly kind: 'refused'
  readonly why:
    /** The tenant's part of the line, or all of it, has no room. */
    | 'line-full'
    /** The turn would come, or did not come, within the bound of a wait. */
    | 'too-long'
    /** Every backend rests for longer than the bound of a wait. */
    | 'resting'
    | 'client-gone'
    /** This instance ends; another one may have a turn for it. */
    | 'stopping'
  /** Until what stands before the call now has gone out, at the rate at which calls do go out (I7). */
  readonly retryAfterMs: number
}
