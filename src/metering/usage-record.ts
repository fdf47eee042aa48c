import type { BackendId, CallId, CallerId, TenantId } from '../base/ids'
import type { MicroUsd } from '../base/money'

/** What is known of a call when it is dispatched to a backend. Written to the usage log before the answer's last byte (I8). */
export interface CallIntent {
  readonly callId: CallId
  /** Unix milliseconds at which the call came in; its minute is the minute that it counts in. */
  readonly startedAt: number
  readonly tenantId: TenantId
  /** The API key, or what stands for an Entra principal. */
  readonly keyId: CallerId
  readonly alias: string
  readonly model: string
  readonly operation: string
  /** The client's own `x-request-id` or the one we gave. */
  readonly requestId: string
  readonly estimatedTokens: number
}

/** How a call ended. `usage` is what the provider reported, or our count where `estimated`. */
export interface CallSettlement {
  readonly outcome: CallOutcome
  /** HTTP status that the client got. */
  readonly status: number
  /** The backend that answered, or was tried last. */
  readonly backendId: BackendId | undefined
  readonly deployment: string | undefined
  readonly region: string | undefined
  readonly usage: TokenUsage
  /** True where the provider reported no usage (a cut stream) and the tokens are our own count. */
  readonly estimated: boolean
  /** Undefined where the price book has no price for the model: the call counts as unpriced, at no cost. */
  readonly costMicroUsd: MicroUsd | undefined
  /** From arrival to the answer's last byte; 0 where nobody waited for it (a batch's line, a training). */
  readonly latencyMs: number
  /** From arrival to the first byte; undefined where none was sent. */
  readonly firstByteMs: number | undefined
  /** Backends tried, the serving one included. */
  readonly attempts: number
  /**
   * Prompt tokens, by our estimate, of backends that were asked for the same answer and given up when another one began it. They
   * are no part of `usage`, and are part of the cost and of what the limits count.
   */
  readonly hedgedTokens?: number | undefined
  /** For its turn at the backends, all its waits together; 0 where it had none. Undefined where that is not known, or means nothing. */
  readonly queuedMs?: number | undefined
  /** Backends that answered it with 429. */
  readonly throttledAttempts?: number | undefined
  /** Of the problem because of which it was not answered, or not to its end; absent where that is not known, too. */
  readonly code?: string | undefined
  /** The alias that answered in place of the one that was called, and its model, whose price the call has. */
  readonly servedAs?: ServedAs | undefined
}

/**
 * Calls that ended before any backend was asked and before they had an entry of their own in the log: like ones of one minute, counted
 * together. `tallyId` is new for each, so that a line that is repeated counts once (I9).
 */
export interface CallTally extends RefusedCall {
  readonly tallyId: TallyId
  readonly calls: number
}

export type TallyId = `tly_${string}`

export interface RefusedCall {
  /** Unix milliseconds; of a tally, of the first of its calls. */
  readonly startedAt: number
  readonly tenantId: TenantId
  readonly keyId: CallerId
  readonly alias: string
  readonly model: string
  readonly operation: string
  /** Of the problem that it was answered with, and its HTTP status: 429, or 500 and above. */
  readonly code: string
  readonly status: number
}

export interface ServedAs {
  readonly alias: string
  readonly model: string
}

export type CallOutcome =
  /** The whole answer was handed over. */
  | 'completed'
  /** The provider refused the call as the client wrote it (4xx); nothing was generated. */
  | 'rejected'
  /** No backend served it. */
  | 'failed'
  /** The answer broke off after its first byte. */
  | 'interrupted'

export interface TokenUsage {
  readonly promptTokens: number
  /** Part of `promptTokens`. */
  readonly cachedTokens: number
  readonly outputTokens: number
  /** Part of `outputTokens`. */
  readonly reasoningTokens: number
  /** What is not counted in tokens, or priced apart. */
  readonly media?: MediaUsage | undefined
}

export interface MediaUsage {
  /** Part of `promptTokens`. */
  readonly imageTokens: number
  /** Images made. */
  readonly images: number
  /** Of sound that was heard, milliseconds. */
  readonly audioMs: number
  /** Of text that was spoken. */
  readonly characters: number
}

export const noMedia: MediaUsage = { imageTokens: 0, images: 0, audioMs: 0, characters: 0 }

export const noTokens: TokenUsage = { promptTokens: 0, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 }
