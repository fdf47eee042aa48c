import { HOUR_MS } from '../metering/log-blob-name'
import { lostShareMax, slowAfterMs, usualLoad, type PoolNormal, type UsualLoad } from './pool-normal'

/** What is to be expected of a tenant in a pool at a time. */
export interface Expected extends UsualLoad {
  /** Tokens a minute of what is metered later. */
  readonly laterTokens: number
  /** Calls that take longer than `slowMs` are slow; undefined while too little is known. */
  readonly slowAfter: { readonly usualMs: number; readonly slowMs: number } | undefined
  /** Of all calls, more lost ones than this are too many, 0 to 1; undefined while too little is known. */
  readonly lostMax: number | undefined
}

export const expectedAt = (normal: PoolNormal, timeMs: number): Expected => ({
  ...usualLoad(normal, timeMs),
  laterTokens: normal.laterTokens,
  slowAfter: slowAfterMs(normal, timeMs),
  lostMax: lostShareMax(normal, timeMs),
})

/** What is expected changes no sooner, as long as nothing is learned: parts of hours and shifts of jobs are whole ones of it. */
const STEP_MS = 5 * 60_000
/** Normals are learned once an hour. */
const AHEAD_MS = 2 * HOUR_MS

/** What a normal says of the next two hours, which takes a hundredth of its memory. */
export class ExpectedAhead {
  readonly #fromMs: number
  /** By steps; steps of which the same is expected share it. */
  readonly #steps: readonly Expected[]

  constructor(normal: PoolNormal, nowMs: number) {
    this.#fromMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS
    const steps: Expected[] = []
    for (let ms = this.#fromMs; ms < this.#fromMs + AHEAD_MS; ms += STEP_MS) {
      const expected = expectedAt(normal, ms)
      const before = steps.at(-1)
      steps.push(before && JSON.stringify(before) === JSON.stringify(expected) ? before : expected)
    }
    this.#steps = steps
  }

  /** Undefined where it does not reach. */
  at(timeMs: number): Expected | undefined {
    return this.#steps[Math.floor((timeMs - this.#fromMs) / STEP_MS)]
  }
}
