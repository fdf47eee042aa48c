import type { Clock } from '../base/clock'
import type { Purge, PurgeTurn } from './purge'

const DAY_MS = 86_400_000
/** How far back a round begins. What has run for longer than a year has not ended well, and is found by its owner. */
const BACK_DAYS = 400
/** The host looks through all that it keeps for each day that it is asked for, and hands that day's over at once. */
const DAYS_PER_PIECE_MAX = 40

/**
 * What the host keeps of checklists that have ended: input, history, status. It asks for one day of beginnings after another, which
 * bounds what is in memory; what was begun on a day and still ran when the day was looked at is found in a later round. Whoever asks
 * for such an operation later is told that there is none.
 */
export function purgeOrchestrations({ keptMs, clock }: { keptMs: number; clock: Clock }): Purge {
  return {
    id: 'orchestrations',
    run: async (turn) => {
      const endedBefore = clock.now() - keptMs
      const lastDayMs = dayStartOf(endedBefore)
      let count = 0
      let dayMs = turn.position === undefined ? lastDayMs - BACK_DAYS * DAY_MS : Date.parse(turn.position)
      for (let days = 0; dayMs <= lastDayMs; days++, dayMs += DAY_MS) {
        if (days >= DAYS_PER_PIECE_MAX || count >= turn.countMax || turn.isOver())
          return { count, position: new Date(dayMs).toISOString() }
        const found = await purgeDay(turn, { dayMs, endedBefore, countMax: turn.countMax - count })
        count += found.count
        // A day that was not finished is begun anew: what was purged of it does not come again.
        if (!found.isDone) return { count, position: new Date(dayMs).toISOString() }
      }
      return { count, position: undefined }
    },
  }
}

async function purgeDay(
  { orchestrations, dry, isOver }: PurgeTurn,
  { dayMs, endedBefore, countMax }: { dayMs: number; endedBefore: number; countMax: number },
): Promise<{ count: number; isDone: boolean }> {
  let count = 0
  for (const { instanceId } of await orchestrations.ended({ fromMs: dayMs, toMs: dayMs + DAY_MS })) {
    if (count >= countMax || isOver()) return { count, isDone: false }
    // Begun long ago, and yet it may have ended yesterday.
    const status = await orchestrations.status(instanceId)
    if (!status || status.state === 'running' || status.updatedAt >= endedBefore) continue
    if (!dry) await orchestrations.purge(instanceId)
    count++
  }
  return { count, isDone: true }
}

const dayStartOf = (ms: number) => Math.floor(ms / DAY_MS) * DAY_MS
