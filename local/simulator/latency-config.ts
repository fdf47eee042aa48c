import { z } from 'zod'

const LATENCY_MS_MAX = 600_000

/** How long a deployment takes, as configurations say it; what it means is in `latency.ts`. */
export const latencySchema = z.strictObject({
  firstTokenMs: z.number().min(0).max(LATENCY_MS_MAX).default(0),
  tokensPerSecond: z.number().min(0).default(0),
  jitter: z.number().min(0).max(1).default(0),
})
