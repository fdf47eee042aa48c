import type { Clock } from '../base/clock'
import { createAllowance } from './allowance'
import { isInShare, type SpanPlace } from './trace-parent'

/** Which traces are kept. Where it gives a share, the trace is kept and stands for so many others; undefined: it is not. */
export interface Sampling {
  /** When it begins. Who has sent a parent has decided already, within bounds. */
  shareOf(traceId: string, parent: SpanPlace | undefined): number | undefined
  /** When what was not kept at its beginning ends. */
  shareAtEnd(end: 'well' | 'refused' | 'failed'): number | undefined
}

/** A client's wish costs the platform money: beyond this an instance keeps of such traces the share that it keeps of others. */
const WISHED = { perSecond: 10, burst: 100 }
/** Two, so that a flood of refusals does not hide what has failed. */
const FAILED = { perSecond: 5, burst: 50 }
const REFUSED = { perSecond: 2, burst: 20 }

const ITSELF = 1

export function createSampling(clock: Clock, ratio: number): Sampling {
  const wished = createAllowance(clock, WISHED)
  const failed = createAllowance(clock, FAILED)
  const refused = createAllowance(clock, REFUSED)
  return {
    shareOf: (traceId, parent) => {
      if (parent && !parent.isSampled) return undefined
      if (parent && wished.take()) return ITSELF
      return isInShare(traceId, ratio) ? ratio : undefined
    },
    shareAtEnd: (end) => {
      if (end === 'well') return undefined
      return (end === 'failed' ? failed : refused).take() ? ITSELF : undefined
    },
  }
}
