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
  /** From arrival to the answer's last byte. */
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
  /** The alias that answered in place of the one that was called, and its model, whose price the call has. */
  readonly servedAs?: ServedAs | undefined
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
