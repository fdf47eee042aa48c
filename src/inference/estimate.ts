import { assert } from '../base/assert'
import type { Call } from './read-call'

export interface Estimate {
  readonly prompt: number
  /** With the output, and at least 1. */
  readonly total: number
}

/**
 * Tokens to reserve before dispatch: the prompt by its length, plus all the output that the call allows (I6).
 * Azure's own admission counts characters too; the provider's usage replaces the estimate when the call is settled.
 */
export function estimateTokens(call: Call, outputTokensAllowed: number): Estimate {
  const prompt = call.operation.promptTokens(call)
  const total = Math.max(1, prompt + outputTokensAllowed * call.choices)
  // Before anything is reserved: of what is no number, nothing could be given back.
  assert(Number.isSafeInteger(total), 'an estimate is a whole number of tokens')
  return { prompt, total }
}
