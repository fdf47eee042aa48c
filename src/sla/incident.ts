import { hash } from 'node:crypto'
import { encodeBase32, encodeTime, type IncidentId, type TenantId } from '../base/ids'
import type { Counts } from './minute-counts'
import type { Objective } from './objective'

/**
 * A time in which an objective was broken faster than its error budget allows. It says what was known when it was written: late usage
 * changes the month's figures, not what an incident told. Times are Unix milliseconds at full minutes, by when calls came in.
 */
export interface Incident {
  readonly id: IncidentId
  readonly tenantId: TenantId
  /** As it was promised when the incident began. */
  readonly objective: Objective
  readonly severity: IncidentSeverity
  /** The rule that opened it, and how fast the budget burned then (see burn-rate.ts). */
  readonly detection: Detection
  /** Start of the first bad minute. */
  readonly startedAt: number
  readonly evidence: Evidence
  readonly end?: IncidentEnd | undefined
  /** Rises with every change, so that of two copies the newer one is known. */
  readonly revision: number
}

export const incidentSeverities = ['warning', 'critical'] as const
export type IncidentSeverity = (typeof incidentSeverities)[number]

interface Detection {
  readonly rule: 'fast' | 'slow'
  /** End of the minute by which it was an incident. */
  readonly at: number
  readonly longBurn: number
  readonly shortBurn: number
}

/** Of the calls that came in from the incident's start on. */
export interface Evidence {
  /** In which the budget burned. */
  readonly badMinutes: number
  readonly good: number
  readonly bad: number
  /** Bad calls by how they ended (`failed`, `interrupted`, …, `slow`), and by the deployment that they were last sent to. */
  readonly outcomes: Counts
  readonly deployments: Counts
}

interface IncidentEnd {
  /** End of the last bad minute. */
  readonly at: number
  /** When it was clear that it was over. */
  readonly closedAt: number
  readonly why: EndReason
}

export const endReasons = [
  /** Calls were good again for CALM_MINUTES. */
  'recovered',
  /** Nobody called for SILENCE_MINUTES, so that nothing more is known. */
  'silence',
  /** Operators have changed or taken back the objective. */
  'objective-changed',
] as const
export type EndReason = (typeof endReasons)[number]

export const durationMsOf = ({ startedAt, end }: Incident): number | undefined => end && end.at - startedAt

const CHANCE_BYTES = 10

/** The same for whoever finds the same incident, so that nobody makes it twice; it sorts by the time of detection. */
export function incidentIdOf(tenantId: TenantId, countKey: string, detectedAt: number): IncidentId {
  const digest = hash('sha256', `${tenantId}\n${countKey}\n${detectedAt}`, 'buffer')
  return `inc_${encodeTime(detectedAt)}${encodeBase32(digest.subarray(0, CHANCE_BYTES))}`
}
