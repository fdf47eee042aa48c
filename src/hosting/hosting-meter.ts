import type { ModelId } from '../base/ids'
import type { DeploymentSku } from '../registry/model-version'

/**
 * What is booked of one tuned model's hosting. Ids, numbers and times (Unix milliseconds), nothing of what the tenant wrote.
 *
 * B1 `claim` is kept before anything is booked under it, and says what: so whoever goes on after a crash, and whoever else is at it
 *    at the same time, books the same (`LateUsage`).
 * B2 `sequence` rises with every claim and never falls, and the row stays when a deployment goes: no two claims have one name.
 */
export interface HostingMeter {
  readonly modelId: ModelId
  readonly sku: DeploymentSku
  /** When the deployment was first seen to be there. */
  readonly fromMs: number
  /** Up to there every hour, or part of one, is in the usage log. */
  readonly bookedMs: number
  /** When it was gone; undefined while it is there. */
  readonly untilMs?: number | undefined
  readonly claim?: { readonly atMs: number; readonly toMs: number } | undefined
  readonly sequence: number
  /** When Azure last showed it. */
  readonly seenMs: number
  /** Nobody need look before. */
  readonly lookAtMs: number
}

export const HOUR_MS = 3_600_000
/** Of one claim: two weeks, after which only an outage is left unbooked, and goes into the next. */
const PIECES_MAX = 14 * 24

export interface HostedPiece {
  readonly fromMs: number
  readonly toMs: number
}

/** Up to where it can be booked now: the last full hour of one that is there, all of one that is gone; pure. */
export function bookableUntil({ bookedMs, untilMs }: HostingMeter, nowMs: number): number {
  const endMs = untilMs ?? hourOf(nowMs)
  return Math.min(endMs, hourOf(bookedMs) + PIECES_MAX * HOUR_MS)
}

/** The claim's time by hours of the clock, the first and the last perhaps in part; pure. */
export function piecesOf({ bookedMs, claim }: HostingMeter): HostedPiece[] {
  const pieces: HostedPiece[] = []
  const endMs = claim?.toMs ?? bookedMs
  for (let fromMs = bookedMs; fromMs < endMs;) {
    const toMs = Math.min(endMs, hourOf(fromMs) + HOUR_MS)
    pieces.push({ fromMs, toMs })
    fromMs = toMs
  }
  return pieces
}

export const isBooked = ({ bookedMs, untilMs, claim }: HostingMeter): boolean =>
  claim === undefined && untilMs !== undefined && bookedMs >= untilMs

/** The beginning of the hour of the clock. */
export const hourOf = (atMs: number) => Math.floor(atMs / HOUR_MS) * HOUR_MS
