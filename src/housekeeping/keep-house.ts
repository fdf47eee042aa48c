import type { Clock } from '../base/clock'
import type { Orchestrations } from '../base/durable-steps'
import { describeError, type Log } from '../base/log'
import type { HousekeepingStore, PurgeState } from './housekeeping-store'
import type { Purge, PurgeTurn } from './purge'

const HOUR_MS = 3_600_000
/** Between the beginnings of two rounds of a purge. */
const ROUND_MS = 24 * HOUR_MS
/** Below the half hour that the Functions host gives an invocation, all purges of a run together. */
const RUN_MS_MAX = 20 * 60_000
/** Of one purge in one run; its next piece comes with the next run. */
const COUNT_PER_PIECE_MAX = 20_000
/** Of all purges in a dry run, which somebody waits for. */
const DRY_MS_MAX = 8_000
const DRY_COUNT_MAX = 2_000

export interface KeepHouseDeps {
  readonly purges: readonly Purge[]
  readonly store: HousekeepingStore
  readonly clock: Clock
  readonly log: Log
}

type Host = PurgeTurn['orchestrations']

/**
 * One piece of each purge whose round is not at its end, and of those whose next round is due; how much was removed. For a timer: a
 * piece that broke off is done again, and what goes is told by what is there, so twice at once removes nothing more. One purge's failure
 * keeps no other from its turn.
 */
export function createKeepHouse({
  purges,
  store,
  clock,
  log,
}: KeepHouseDeps): (host: Orchestrations) => Promise<number> {
  return async (orchestrations) => {
    const endsAtMs = clock.monotonicMs() + RUN_MS_MAX
    let removed = 0
    for (const purge of purges) {
      if (clock.monotonicMs() >= endsAtMs) break
      try {
        const known = await store.purge(purge.id)
        if (!isDue(known, clock.now())) continue
        const piece = await purge.run({
          dry: false,
          position: known?.position,
          countMax: COUNT_PER_PIECE_MAX,
          isOver: () => clock.monotonicMs() >= endsAtMs,
          orchestrations,
        })
        await store.putPurge(purge.id, afterPiece(known, piece, clock.now()))
        removed += piece.count
        if (piece.count > 0) log.info('what was kept long enough was deleted', { purge: purge.id, count: piece.count })
      } catch (error) {
        log.error('housekeeping failed; the next run goes on', { purge: purge.id, error: describeError(error) })
      }
    }
    return removed
  }
}

/** Pure: a round goes on at once, and begins a day after the one before began. */
export const isDue = (state: PurgeState | undefined, nowMs: number): boolean =>
  state === undefined || state.position !== undefined || nowMs - state.roundStartedAt >= ROUND_MS

/** Pure. */
export function afterPiece(
  known: PurgeState | undefined,
  { count, position }: { readonly count: number; readonly position: string | undefined },
  nowMs: number,
): PurgeState {
  const goesOn = known?.position !== undefined
  return {
    position,
    roundStartedAt: goesOn ? known.roundStartedAt : nowMs,
    ranAt: nowMs,
    removed: count,
    removedInRound: count + (goesOn ? known.removedInRound : 0),
    removedEver: count + (known?.removedEver ?? 0),
  }
}

/** What a purge would remove now, as far as was looked. */
export interface DryCount {
  readonly count: number
  /** Whether all was looked at, so that it is the whole number and no least. */
  readonly isComplete: boolean
}

/** Counts what would go, from the beginning of a round, within a few seconds. */
export async function countDry(
  { purges, clock }: Pick<KeepHouseDeps, 'purges' | 'clock'>,
  orchestrations: Host,
): Promise<ReadonlyMap<Purge['id'], DryCount>> {
  const counts = new Map<Purge['id'], DryCount>()
  const beganAtMs = clock.monotonicMs()
  for (const [index, purge] of purges.entries()) {
    // Whoever needs less leaves the rest to the next.
    const endsAtMs = beganAtMs + (DRY_MS_MAX * (index + 1)) / purges.length
    const isOver = () => clock.monotonicMs() >= endsAtMs
    const turn = { dry: true, position: undefined, countMax: DRY_COUNT_MAX, isOver, orchestrations }
    const { count, position } = await purge.run(turn)
    counts.set(purge.id, { count, isComplete: position === undefined && count < DRY_COUNT_MAX })
  }
  return counts
}
