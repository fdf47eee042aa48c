import { z } from 'zod'

/**
 * How long each phase of a call at a backend may take, in milliseconds. `connectMs`: until a connection is there.
 * `firstTokenMs`: of a stream, from sending until it has begun to answer. `wholeAnswerMs`: the same where the answer comes
 * whole, for which reasoning models think for minutes. `idleMs`: between two pieces of an answer. `totalMs`: from the call's
 * arrival to the answer's last byte, whatever backends are tried.
 */
export interface BackendTimeouts {
  readonly connectMs: number
  readonly firstTokenMs: number
  readonly wholeAnswerMs: number
  readonly idleMs: number
  readonly totalMs: number
}

const MINUTE_MS = 60_000
/** Below the 30 minutes after which the Functions host ends an invocation. */
export const TOTAL_MS_MAX = 20 * MINUTE_MS
/** A connection that takes longer is not coming; the client of the network gives up then too. */
export const CONNECT_MS_MAX = 10_000

export const defaultTimeouts: BackendTimeouts = {
  connectMs: 5_000,
  firstTokenMs: 2 * MINUTE_MS,
  wholeAnswerMs: 10 * MINUTE_MS,
  idleMs: MINUTE_MS,
  totalMs: TOTAL_MS_MAX,
}

const bounded = (min: number, max: number) => z.int().min(min).max(max).optional()

/** What is left out stays at its default. */
export const timeoutsInput = z.strictObject({
  connectMs: bounded(100, CONNECT_MS_MAX),
  firstTokenMs: bounded(500, 10 * MINUTE_MS),
  wholeAnswerMs: bounded(500, TOTAL_MS_MAX),
  idleMs: bounded(500, 10 * MINUTE_MS),
  totalMs: bounded(1_000, TOTAL_MS_MAX),
})
export type TimeoutsInput = z.infer<typeof timeoutsInput>

export function timeoutsOf({ timeouts }: { readonly timeouts?: TimeoutsInput | undefined }): BackendTimeouts {
  if (!timeouts) return defaultTimeouts
  return {
    connectMs: timeouts.connectMs ?? defaultTimeouts.connectMs,
    firstTokenMs: timeouts.firstTokenMs ?? defaultTimeouts.firstTokenMs,
    wholeAnswerMs: timeouts.wholeAnswerMs ?? defaultTimeouts.wholeAnswerMs,
    idleMs: timeouts.idleMs ?? defaultTimeouts.idleMs,
    totalMs: timeouts.totalMs ?? defaultTimeouts.totalMs,
  }
}
