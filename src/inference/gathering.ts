import type { Clock } from '../base/clock'

/** Whether what follows a stream's piece is gathered for a moment, and passed on together. */
export interface Gathering {
  /** To be waited for before a stream's next piece is read, after so many; undefined while the process has time for each by itself. */
  pause(pieces: number): Promise<void> | undefined
}

/** Share of the time in which the event loop did not wait, since the last look at it; 0 to 1. */
type Utilization = () => number

const LOOK_MS = 500
/** Above this share pieces are gathered, and no more below the other: gathering itself makes a process less busy. */
const BUSY_ABOVE = 0.7
const BUSY_BELOW = 0.4
/** Two or three tokens of a usual model: a reader still sees them flow. */
const GATHER_MS = 50
/** A stream's first pieces are never gathered: a short answer would take longer, and there would be nothing to gather. */
const FIRST_PIECES = 8

/**
 * However short it is, a piece of a stream costs a write of ours and a wake-up of its reader. A process that is busy with a
 * thousand streams spends most of its time on these and falls behind, and some of the streams then stall for much longer than this.
 */
export function createGathering(clock: Clock, utilization: Utilization = sinceLastLook()): Gathering {
  let lookedAtMs = clock.monotonicMs()
  let busy = false
  return {
    pause: (pieces) => {
      const nowMs = clock.monotonicMs()
      if (nowMs - lookedAtMs >= LOOK_MS) {
        lookedAtMs = nowMs
        busy = utilization() > (busy ? BUSY_BELOW : BUSY_ABOVE)
      }
      return busy && pieces >= FIRST_PIECES ? clock.sleep(GATHER_MS) : undefined
    },
  }
}

function sinceLastLook(): Utilization {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}
