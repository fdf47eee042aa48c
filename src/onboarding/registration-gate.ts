import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'

/** Bounds what strangers can make this instance start. */
export interface RegistrationGate {
  /** A problem when too many have registered lately. */
  enter(): Problem | undefined
}

const REGISTRATIONS_PER_WINDOW_MAX = 30
export const WINDOW_MS = 600_000

export function createRegistrationGate(clock: Clock): RegistrationGate {
  let entries: number[] = []
  return {
    enter: () => {
      const nowMs = clock.monotonicMs()
      entries = entries.filter((atMs) => atMs > nowMs - WINDOW_MS)
      const [oldest] = entries
      if (entries.length < REGISTRATIONS_PER_WINDOW_MAX || oldest === undefined) {
        entries.push(nowMs)
        return undefined
      }
      const retryAfterMs = oldest + WINDOW_MS - nowMs
      return new Problem('rate_limit_exceeded', 'Many have registered in the last minutes. Try again later.', {
        retryAfterMs,
      })
    },
  }
}
