import { numberIn, type UpstreamHeaders } from '../azure/upstream-headers'

/** What a backend says is left of its quota. Tokens as the backend counts them: the prompt and all the output that a call allows. */
export interface Quota {
  readonly tokensMax: number
  readonly tokensLeft: number
  /** Until the quota is whole again. */
  readonly resetMs: number
}

/** Azure's windows are minutes; a header that speaks of more means something else. */
const RESET_MS_MAX = 60_000

/**
 * Reads `x-ratelimit-{limit,remaining,reset}-tokens` (the last in seconds), which Azure OpenAI sends with every pay-as-you-go answer.
 * Undefined where one is missing or makes no sense: deployments have been seen to say −1.
 */
export function readQuota(headers: UpstreamHeaders): Quota | undefined {
  const tokensMax = numberIn(headers['x-ratelimit-limit-tokens'])
  const tokensLeft = numberIn(headers['x-ratelimit-remaining-tokens'])
  const resetSeconds = numberIn(headers['x-ratelimit-reset-tokens'])
  if (tokensMax === undefined || tokensLeft === undefined || resetSeconds === undefined || tokensMax === 0)
    return undefined
  return { tokensMax, tokensLeft, resetMs: Math.min(RESET_MS_MAX, resetSeconds * 1_000) }
}
