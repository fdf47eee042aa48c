import type { Chance } from '../../../src/base/chance'
import type { Clock } from '../../../src/base/clock'
import { decodeWindow, encodeWindow } from '../../../src/limits/window-codec'
import type { WindowStore } from '../../../src/limits/window-store'

/** What goes wrong, each as a probability per operation. */
export interface Weather {
  readonly latencyMsMax: number
  /** Fails without having been done. */
  readonly refused: number
  /** Fails after having been done. */
  readonly answerLost: number
  /** Is done, but only after the caller has given up waiting. */
  readonly late: number
}

export const calm: Weather = { latencyMsMax: 20, refused: 0, answerLost: 0, late: 0 }
export const stormy: Weather = { latencyMsMax: 60, refused: 0.03, answerLost: 0.03, late: 0.02 }

export interface SimulatedStore extends WindowStore {
  readonly operations: { reads: number; writes: number }
  /** Deletes every row. */
  wipe(): void
}

/** One instance's way to the shared rows: bytes changed by compare-and-swap, after a random while, in random weather. */
export function simulatedStore(
  rows: Map<string, { bytes: Uint8Array; version: number }>,
  { clock, chance, weather }: { clock: Clock; chance: Chance; weather: () => Weather },
): SimulatedStore {
  const operations = { reads: 0, writes: 0 }
  const travel = async () => {
    const { latencyMsMax, refused, late } = weather()
    await clock.sleep(chance.fraction() * latencyMsMax)
    if (chance.fraction() < refused) throw new Error('simulated: storage refused')
    if (chance.fraction() < late) await clock.sleep(1_500 + chance.fraction() * 2_000)
  }
  const travelBack = async () => {
    if (chance.fraction() < weather().answerLost) throw new Error('simulated: the answer was lost')
    await clock.sleep(chance.fraction() * weather().latencyMsMax)
  }
  return {
    operations,
    wipe: () => rows.clear(),
    read: async ({ tenantId }) => {
      operations.reads++
      await travel()
      const row = rows.get(tenantId)
      await travelBack()
      return row && { state: decodeWindow(row.bytes), tag: String(row.version) }
    },
    write: async ({ tenantId }, state, tag) => {
      operations.writes++
      await travel()
      const row = rows.get(tenantId)
      if ((row && String(row.version)) !== tag) return { kind: 'lost-race' }
      const version = (row?.version ?? 0) + 1
      rows.set(tenantId, { bytes: encodeWindow(state), version })
      await travelBack()
      return { kind: 'written', tag: String(version) }
    },
  }
}

/** The same chances again for the same seed (mulberry32). */
export function seededChance(seed: number): Chance {
  let state = seed | 0
  const fraction = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { fraction, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(fraction() * 256)) }
}
