import type { Metric } from './metric'
import type { Span } from './span'

/**
 * Somewhere that telemetry is sent. Each promise resolves when it is there, and rejects where it is lost: after a bounded time, without
 * another try, since what is too late is of no use.
 */
export interface Sink {
  spans(spans: readonly Span[]): Promise<void>
  metrics(metrics: readonly Metric[], interval: Interval): Promise<void>
  close(): Promise<void>
}

/** Unix milliseconds. */
export interface Interval {
  readonly startMs: number
  readonly endMs: number
}

/** Who sends: the same for all that a process sends. */
export type Resource = Readonly<Record<string, string>>

/** How long a sink may take for one sending. */
export const SEND_TIMEOUT_MS = 5_000
