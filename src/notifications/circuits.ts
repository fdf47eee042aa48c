import type { Clock } from '../base/clock'

/**
 * Receivers that do not answer are left alone for a while, so that what waits for them costs no time of others. Of this instance:
 * others find out by themselves.
 */
export interface Circuits {
  /** Until when nothing goes there; undefined where it may. One message at a time tries again then. */
  restsUntil(receiver: string): number | undefined
  succeeded(receiver: string): void
  failed(receiver: string): void
}

/** Failures in a row. */
export const FAILURES_MAX = 3
export const REST_MS_MIN = 60_000
const REST_MS_MAX = 15 * 60_000
/** Receivers with failures; each takes some 200 bytes. Beyond it the oldest is forgotten, and tried again. */
const RECEIVERS_MAX = 10_000

interface Circuit {
  readonly failures: number
  /** Unix milliseconds. */
  readonly restsUntil: number
}

export function createCircuits(clock: Clock): Circuits {
  const circuits = new Map<string, Circuit>()
  return {
    restsUntil: (receiver) => {
      const circuit = circuits.get(receiver)
      return circuit && circuit.restsUntil > clock.now() ? circuit.restsUntil : undefined
    },
    succeeded: (receiver) => void circuits.delete(receiver),
    failed: (receiver) => {
      const failures = (circuits.get(receiver)?.failures ?? 0) + 1
      circuits.delete(receiver)
      circuits.set(receiver, { failures, restsUntil: failures < FAILURES_MAX ? 0 : clock.now() + restMs(failures) })
      const [oldest] = circuits.keys()
      if (circuits.size > RECEIVERS_MAX && oldest !== undefined) circuits.delete(oldest)
    },
  }
}

const restMs = (failures: number) => Math.min(REST_MS_MAX, REST_MS_MIN * 2 ** (failures - FAILURES_MAX))
