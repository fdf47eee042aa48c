import type { Chance } from '../../../src/base/chance'
import type { Clock } from '../../../src/base/clock'
import type { Log } from '../../../src/base/log'
import { ProblemError } from '../../../src/base/problem'
import { limiterOver } from '../../../src/limits/create-limiter'
import type { AdmissionRequest, AdmissionResult, Limiter } from '../../../src/limits/limiter'
import { minuteWindow, type WindowShape } from '../../../src/limits/window-state'
import { handClock, type HandClock } from '../../harness/hand-clock'
import { AdmissionHistory } from './admission-history'
import { calm, seededChance, simulatedStore, type SimulatedStore, type Weather } from './simulated-store'

export const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }

export interface Instance {
  readonly limiter: Limiter
  readonly store: SimulatedStore
  /** From now on nothing it does reaches the rows, and its calls are gone with it. */
  crash(): void
  readonly isCrashed: () => boolean
}

export interface Town {
  readonly clock: HandClock
  readonly chance: Chance
  readonly history: AdmissionHistory
  weather: Weather
  readonly rows: Map<string, { bytes: Uint8Array; version: number }>
  start(skewMs?: number): Instance
  /** Admits on `instance`, and settles after `holdMs` with `used` tokens. Undefined when storage was out. */
  call(
    instance: Instance,
    request: AdmissionRequest,
    life: { holdMs: number; used: number },
  ): Promise<AdmissionResult | undefined>
  /** How many calls met storage that failed. */
  failures: number
}

/** Some instances around shared rows, on one hand-moved clock that each of them may read a little wrong. */
export function town(seed: number, shape: WindowShape = minuteWindow): Town {
  const clock = handClock()
  const chance = seededChance(seed)
  const rows: Town['rows'] = new Map()
  let started = 0

  const start = (skewMs = 0): Instance => {
    let crashed = false
    const own: Clock = { ...clock, now: () => clock.now() + skewMs }
    const weather = () => (crashed ? { ...calm, refused: 1 } : self.weather)
    const store = simulatedStore(rows, { clock, chance, weather })
    const instanceId = `ins_${++started}` as const
    const limiter = limiterOver({ windows: store, clock: own, chance, instanceId, log: silent, shape })
    return { limiter, store, crash: () => (crashed = true), isCrashed: () => crashed }
  }

  const call: Town['call'] = async (instance, request, { holdMs, used }) => {
    try {
      const result = await instance.limiter.admit(request)
      if (result.kind !== 'admitted' || instance.isCrashed()) return result
      const admitted = self.history.admitted(clock.now(), request.tokens)
      void clock.sleep(holdMs).then(() => {
        admitted.settledAtMs = clock.now()
        // A call on an instance that died used what it had reserved, as far as anybody can know.
        if (!instance.isCrashed()) admitted.usedTokens = used
        result.admission.settle(used)
      })
      return result
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      self.failures++
      return undefined
    }
  }

  const self: Town = { clock, chance, history: new AdmissionHistory(), weather: calm, rows, start, call, failures: 0 }
  return self
}
