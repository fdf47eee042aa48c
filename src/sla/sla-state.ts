import type { Evidence, Incident } from './incident'
import type { Minute } from './minute-counts'
import type { Objective } from './objective'
import type { Tally } from './tally'

/**
 * What the timer remembers of a tenant between runs. Every minute before `throughMinute` has been judged, so that a run that comes
 * twice, late or out of order finds nothing to do. A few kilobytes, whatever the tenant’s traffic.
 */
export interface SlaState {
  readonly throughMinute: Minute
  /** By count key. */
  readonly objectives: Readonly<Record<string, ObjectiveState>>
  /** Changes of incidents that are written and that nobody has been told of. */
  readonly untold: readonly Telling[]
}

export interface ObjectiveState {
  /** Of the minutes that are not read again, the newest last: five minutes each, those with calls only. */
  readonly buckets: readonly Bucket[]
  /** Of those minutes, the calls of this month (`2026-11`). */
  readonly month: Tally & { readonly month: string }
  readonly open?: OpenIncident | undefined
  /** The month whose overspent budget was told of. */
  readonly toldOverspent?: string | undefined
}

export interface OpenIncident {
  readonly incident: Incident
  readonly lastBadMinute: Minute
  /** Of the minutes that are not read again. */
  readonly sealed: Evidence
}

export type Bucket = readonly [start: Minute, good: number, bad: number]

/** What others are to be told. */
export type Telling =
  | { readonly kind: 'opened' | 'worsened' | 'closed'; readonly incident: Incident }
  /** The month's error budget is spent. */
  | { readonly kind: 'overspent'; readonly objective: Objective; readonly month: string; readonly counted: Tally }

/** Every long window of a rule is a number of whole ones. */
export const BUCKET_MINUTES = 5
/**
 * Minutes that are read again on each run, so that calls count that ended late: none lasts longer than 20 minutes (`TOTAL_TIMEOUT_MS`).
 * Also the longest short window.
 */
export const READ_AGAIN_MINUTES = 35

/** From which minute on usage is read again when `through` is the next to judge. */
export const freshFrom = (through: Minute): Minute =>
  Math.floor((through - READ_AGAIN_MINUTES) / BUCKET_MINUTES) * BUCKET_MINUTES
