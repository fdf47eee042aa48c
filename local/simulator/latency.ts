import type { Random } from './random'

/** How long a deployment takes. Applied to answers of 2xx only: refusals are immediate, as the service's are. */
export interface Latency {
  /** Zero answers at once. */
  readonly firstTokenMs: number
  /** Output tokens per second of one call; zero sends all at once. */
  readonly tokensPerSecond: number
  /** 0..1: each call's times are scaled by a factor drawn evenly from 1 − jitter to 1 + jitter. */
  readonly jitter: number
}

/** The times of one call. Both zero when the deployment is immediate. */
export interface Pace {
  readonly firstTokenMs: number
  readonly tokenMs: number
}

export const immediate: Pace = { firstTokenMs: 0, tokenMs: 0 }

/** Draws the times of one call. Reasoning tokens are thought before the first visible one, at the same speed. */
export function drawPace(latency: Latency, reasoningTokens: number, random: Random): Pace {
  if (latency.firstTokenMs === 0 && latency.tokensPerSecond === 0) return immediate
  const scale = () => 1 + latency.jitter * (2 * random() - 1)
  const tokenMs = latency.tokensPerSecond === 0 ? 0 : (1_000 / latency.tokensPerSecond) * scale()
  return { firstTokenMs: latency.firstTokenMs * scale() + reasoningTokens * tokenMs, tokenMs }
}
