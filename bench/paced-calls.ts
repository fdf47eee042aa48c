import { Pool } from 'undici'
import { fire, quantile, type Shot } from './load'

export interface PacedCalls {
  readonly served: number
  readonly failed: number
  /** How many, by status, or by the error's code where no whole answer came. */
  readonly failures: Readonly<Record<string, number>>
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

export interface Pace {
  readonly callsPerSecond: number
  readonly seconds: number
  /** The call that is sent as the `n`th, from 0. */
  readonly shotOf: (n: number) => Shot
  readonly onTick: (seconds: number) => void
}

const TICK_MS = 1_000
const CONNECTIONS_MAX = 2_000
/** A call that takes longer has failed. */
const ANSWER_MS_MAX = 30_000

/**
 * Sends calls at even intervals, whatever becomes of those before, and waits for their answers: a way that is slow is not
 * spared any.
 */
export async function paceCalls(
  origin: string,
  { callsPerSecond, seconds, shotOf, onTick }: Pace,
): Promise<PacedCalls> {
  const pool = new Pool(origin, { connections: CONNECTIONS_MAX, pipelining: 1, headersTimeout: ANSWER_MS_MAX })
  const timesMs: number[] = []
  const failures: Record<string, number> = {}
  const startedAtMs = performance.now()
  const call = async (n: number) => {
    const sentAtMs = performance.now()
    const status = await fire(pool, shotOf(n))
    if (status === 200) timesMs.push(performance.now() - sentAtMs)
    else failures[status] = (failures[status] ?? 0) + 1
  }
  const ticks = setInterval(() => onTick(Math.floor((performance.now() - startedAtMs) / TICK_MS)), TICK_MS)
  const sent: Promise<void>[] = []
  for (let n = 0; n < callsPerSecond * seconds; n++) {
    const dueMs = startedAtMs + (n / callsPerSecond) * 1_000
    const waitMs = dueMs - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    sent.push(call(n))
  }
  await Promise.all(sent)
  clearInterval(ticks)
  await pool.close()
  timesMs.sort((a, b) => a - b)
  const [p50Ms, p95Ms, p99Ms] = [0.5, 0.95, 0.99].map((share) => quantile(timesMs, share))
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0)
  return { served: timesMs.length, failed, failures, p50Ms: p50Ms ?? 0, p95Ms: p95Ms ?? 0, p99Ms: p99Ms ?? 0 }
}
