import type { Clock } from '../base/clock'
import { describeError, type Log } from '../base/log'
import type { TallyPlace } from './day-tallies'
import type { DriftStore } from './drift-store'
import { grantSamples } from './sample-pace'

/** Models whose allowance is remembered at a time; the others begin with none. */
const MODELS_MAX = 1_000
/** Where nothing was granted, it is not asked for again for so long. */
const REST_MS = 60_000

export interface AllowanceOf {
  readonly perDayMax: number
  /** 0 where nothing is known of it. */
  readonly callsYesterday: number
}

interface Allowance {
  readonly day: string
  samples: number
  isAsking: boolean
  notBeforeMs: number
}

/** Samples that this instance may take of each model today; more are claimed behind the calls, of which none waits for it. */
export class SampleAllowances {
  readonly #allowances = new Map<string, Allowance>()
  readonly #deps: { readonly store: Pick<DriftStore, 'claimSamples'>; readonly clock: Clock; readonly log: Log }

  constructor(deps: { readonly store: Pick<DriftStore, 'claimSamples'>; readonly clock: Clock; readonly log: Log }) {
    this.#deps = deps
  }

  /** False where there is none left at the moment: that call is not measured. */
  take(place: TallyPlace, of: AllowanceOf): boolean {
    const allowance = this.#allowanceOf(place)
    if (allowance.samples > 0) {
      allowance.samples -= 1
      return true
    }
    const mayAsk = !allowance.isAsking && this.#deps.clock.monotonicMs() >= allowance.notBeforeMs
    if (mayAsk) void this.#claim(place, of, allowance)
    return false
  }

  #allowanceOf({ scope, modelId, day }: TallyPlace): Allowance {
    const key = `${scope.tenantId}/${modelId}`
    const known = this.#allowances.get(key)
    if (known?.day === day) return known
    if (this.#allowances.size >= MODELS_MAX) this.#allowances.clear()
    const allowance: Allowance = { day, samples: 0, isAsking: false, notBeforeMs: -Infinity }
    this.#allowances.set(key, allowance)
    return allowance
  }

  /** Never rejects. */
  async #claim({ scope, modelId, day }: TallyPlace, of: AllowanceOf, allowance: Allowance): Promise<void> {
    const { store, clock, log } = this.#deps
    const { perDayMax, callsYesterday } = of
    allowance.isAsking = true
    try {
      const asked = { perDayMax, isFirstDay: callsYesterday === 0, nowMs: clock.now() }
      allowance.samples = await store.claimSamples(scope, modelId, day, (claimed) =>
        grantSamples({ ...asked, claimed }),
      )
    } catch (error) {
      log.warn('samples of a model’s calls could not be claimed', { modelId, error: describeError(error) })
    } finally {
      if (allowance.samples === 0) allowance.notBeforeMs = clock.monotonicMs() + REST_MS
      allowance.isAsking = false
    }
  }
}
