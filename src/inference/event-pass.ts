import type { Problem } from '../base/problem'
import type { TokenUsage } from '../metering/usage-record'
import type { TextTally } from './text-tally'

/** The bytes of a stream on their way through, in whole events; each surface's events say in their own way how they end. */
export interface EventPass {
  /** As the provider reports it; undefined until it has. */
  readonly usage: TokenUsage | undefined
  /** The event that ends the stream has passed. */
  readonly done: boolean
  /** Whether the answer is whole, where the stream ended without such an event. */
  readonly finished: boolean
  /** The backend has told a failure inside the stream. */
  readonly failed: boolean
  /** An event that is no JSON has come; nothing from it on is passed on. */
  readonly malformed: boolean
  readonly tally: TextTally
  /** The bytes that can be sent on after `chunk` has arrived. Throws when the bytes are no event stream. */
  take(chunk: Buffer): Buffer
  /** The last bytes: some servers leave out the empty line behind the last event. */
  finish(): Buffer
  /** The event that tells the client that the stream broke off. */
  brokenBy(problem: Problem): Buffer
}
