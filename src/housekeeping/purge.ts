import type { Orchestrations } from '../base/durable-steps'

/**
 * Removes what is over, piece by piece. A purge never takes what somebody still needs: it is told by what it finds, not by what it
 * remembers, so it may be run twice, late, or by two at once.
 */
export interface Purge {
  readonly id: PurgeId
  /** One piece of a round: from `position`, or from the beginning, until its turn is over. */
  run(turn: PurgeTurn): Promise<PurgePiece>
}

export const purgeIds = ['idempotency', 'orchestrations', 'resolved-alerts', 'dead-letters', 'reconciliation'] as const
export type PurgeId = (typeof purgeIds)[number]

export interface PurgeTurn {
  /** Count what would go, and remove nothing. */
  readonly dry: boolean
  /** Where the piece before stopped; undefined at the beginning of a round. */
  readonly position: string | undefined
  /** No more than so many are removed, or counted, in this piece. */
  readonly countMax: number
  /** Whether its time is over. Asked between two pieces of work that take no longer than seconds. */
  readonly isOver: () => boolean
  readonly orchestrations: Pick<Orchestrations, 'ended' | 'status' | 'purge'>
}

export interface PurgePiece {
  /** Removed, or in a dry run found. */
  readonly count: number
  /** Where the next piece goes on; undefined where the round is at its end. */
  readonly position: string | undefined
}
