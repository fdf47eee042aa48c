import type { InstanceId, ModelId } from '../base/ids'
import type { TenantScope } from '../storage/tenant-scope'
import type { Day, DayCounts } from './drift-records'
import type { Measured } from './feature'
import { counted } from './histogram'

/** By what requests are measured; counts by another one are no part of the same tally. */
export interface TallyBasis {
  readonly measure: string
  readonly topicsId: string | undefined
}

export interface TallyPlace {
  readonly scope: TenantScope
  readonly modelId: ModelId
  readonly day: Day
}

interface Tally extends TallyPlace {
  basis: TallyBasis
  calls: number
  samples: number
  counts: DayCounts['counts']
  isWritten: boolean
}

/** Models and days that one instance counts at a time; of what is beyond it counts nothing. Each takes a few KB. */
const TALLIES_MAX = 2_000

/** What this instance has counted, by model and day. What has not been written when it dies is lost, and is missed by nobody. */
export class DayTallies {
  readonly #tallies = new Map<string, Tally>()

  constructor(readonly instanceId: InstanceId) {}

  addCall(place: TallyPlace, basis: TallyBasis): void {
    const tally = this.#tallyOf(place, basis)
    if (!tally) return
    tally.calls += 1
    tally.isWritten = false
  }

  addSample(place: TallyPlace, basis: TallyBasis, measured: Measured): void {
    const tally = this.#tallyOf(place, basis)
    if (!tally) return
    tally.samples += 1
    tally.counts = counted(tally.counts, measured)
    tally.isWritten = false
  }

  /** Hands on what has changed, and again what was not `written`. Days before `today` are forgotten after that. */
  async flush(
    today: Day,
    write: (place: TallyPlace, counts: DayCounts) => Promise<'written' | 'later' | 'unwanted'>,
  ): Promise<void> {
    for (const [key, tally] of this.#tallies) {
      if (!tally.isWritten) {
        // Before it is handed on: what is counted meanwhile has to be written too.
        tally.isWritten = true
        const written = await write(tally, this.#countsOf(tally))
        if (written === 'unwanted') this.#tallies.delete(key)
        if (written === 'later') tally.isWritten = false
      }
      if (tally.day < today && tally.isWritten) this.#tallies.delete(key)
    }
  }

  #countsOf({ basis, calls, samples, counts }: Tally): DayCounts {
    const { instanceId } = this
    return { instanceId, ...basis, calls, samples, counts }
  }

  #tallyOf(place: TallyPlace, basis: TallyBasis): Tally | undefined {
    const { scope, modelId, day } = place
    const key = `${scope.tenantId}/${modelId}/${day}`
    const known = this.#tallies.get(key)
    if (known) return basedOn(known, basis)
    if (this.#tallies.size >= TALLIES_MAX) return undefined
    const tally: Tally = { ...place, basis, calls: 0, samples: 0, counts: {}, isWritten: true }
    this.#tallies.set(key, tally)
    return tally
  }
}

/** With another basis the counts begin anew: nobody would read those of the old one. */
function basedOn(tally: Tally, basis: TallyBasis): Tally {
  if (tally.basis.measure !== basis.measure) {
    tally.samples = 0
    tally.counts = {}
  } else if (tally.basis.topicsId !== basis.topicsId) {
    const { topics: _, ...counts } = tally.counts
    tally.counts = counts
  }
  tally.basis = basis
  return tally
}
