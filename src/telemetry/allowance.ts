import type { Clock } from '../base/clock'

/** So many of something a second, and as many at once after a quiet time as `burst` says. */
export interface Allowance {
  /** False when they are used up. */
  take(): boolean
}

export function createAllowance(clock: Clock, { perSecond, burst }: { perSecond: number; burst: number }): Allowance {
  let left = burst
  let atMs = clock.monotonicMs()
  return {
    take: () => {
      const nowMs = clock.monotonicMs()
      left = Math.min(burst, left + ((nowMs - atMs) * perSecond) / 1_000)
      atMs = nowMs
      if (left < 1) return false
      left -= 1
      return true
    },
  }
}
