import type { Clock } from '../base/clock'
import type { Purge, PurgeTurn } from './purge'

const DAY_MS = 86_400_000
/** How far back a round begins. What has run for longer than a year has not ended well, and is found by its owner. */
const BACK_DAYS = 400
/**
 * Begun in one span are handed over at once: so many are in memory. For each span that it is asked for, the host looks through all that it
 * keeps; a round is 58 looks.
 */
const SPAN_MS = 7 * DAY_MS

/**
 * What the host keeps of checklists that have ended: input, history, status. It asks for one week of beginnings after another; what was
 * begun in a week and still ran when the week was looked at is found by a later round. Whoever asks for such an operation later is told
 * that there is none.
 */
export function purgeOrchestrations({ keptMs, clock }: { keptMs: number; clock: Clock }): Purge {
  return {
    id: 'orchestrations',
    run: async (turn) => {
      const endedBefore = clock.now() - keptMs
      let count = 0
      let fromMs = turn.position === undefined ? endedBefore - BACK_DAYS * DAY_MS : Date.parse(turn.position)
      for (; fromMs < endedBefore; fromMs += SPAN_MS) {
        if (count >= turn.countMax || turn.isOver()) return { count, position: new Date(fromMs).toISOString() }
        const found = await purgeSpan(turn, { fromMs, endedBefore, countMax: turn.countMax - count })
        count += found.count
        // A span that was not finished is begun anew: what was purged of it does not come again.
        if (!found.isDone) return { count, position: new Date(fromMs).toISOString() }
      }
      return { count, position: undefined }
    },
  }
}

async function purgeSpan(
  { orchestrations, dry, isOver }: PurgeTurn,
  { fromMs, endedBefore, countMax }: { fromMs: number; endedBefore: number; countMax: number },
): Promise<{ count: number; isDone: boolean }> {
  let count = 0
  // Whoever ended before then had begun before then.
  const toMs = Math.min(fromMs + SPAN_MS, endedBefore)
  for (const { instanceId } of await orchestrations.ended({ fromMs, toMs })) {
    if (count >= countMax || isOver()) return { count, isDone: false }
    // Begun long ago, and yet it may have ended yesterday.
    const status = await orchestrations.status(instanceId)
    if (!status || status.state === 'running' || status.updatedAt >= endedBefore) continue
    if (!dry) await orchestrations.purge(instanceId)
    count++
  }
  return { count, isDone: true }
}
