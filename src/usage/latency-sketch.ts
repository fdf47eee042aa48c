/**
 * Percentiles of spans of time that can be added up: of minutes, keys, deployments, in any order and any number of times split.
 *
 * Bins grow by a constant factor, as in DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
 * relative-error guarantees", VLDB 2019, section 2.1), and only those with something in them are kept. Of two sketches that hold
 * the same values every field is equal, whatever way they came about: so roll-ups stay a pure function of the log (I9).
 * Why not a library's: docs/decisions/0027-usage-sketches.md.
 */

/** A quantile lies at most this share of itself beside the true one. Rows are stored by it: changing it needs another row format. */
export const SKETCH_ERROR = 0.01
/** What takes longer counts as this, which bounds a sketch to 916 bins. A call lasts minutes, a batch's window a day. */
export const SKETCHED_MS_MAX = 24 * 3_600_000

const LN_GAMMA = Math.log((1 + SKETCH_ERROR) / (1 - SKETCH_ERROR))

export class LatencySketch {
  // Not `#private`, or tests could not tell two sketches apart by comparing them.
  /** Ascending; each with its count at the same place. */
  private bins: number[] = []
  private counts: number[] = []
  private total = 0

  /** How many values it holds. */
  get count(): number {
    return this.total
  }

  /** Below a millisecond counts as zero. `times` is a whole number. */
  add(ms: number, times = 1): void {
    if (times <= 0) return
    this.total += times
    const bin = binOf(ms)
    const at = placeOf(this.bins, bin)
    if (this.bins[at] === bin) {
      this.counts[at] = (this.counts[at] ?? 0) + times
      return
    }
    this.bins.splice(at, 0, bin)
    this.counts.splice(at, 0, times)
  }

  /** Afterwards as if every value of `other` had been added here; `other` stays as it is. */
  merge(other: LatencySketch): void {
    this.total += other.total
    const { bins, counts } = this
    this.bins = []
    this.counts = []
    for (let own = 0, its = 0; own < bins.length || its < other.bins.length;) {
      const [ownBin, itsBin] = [bins[own] ?? Infinity, other.bins[its] ?? Infinity]
      this.bins.push(Math.min(ownBin, itsBin))
      this.counts.push((ownBin <= itsBin ? (counts[own] ?? 0) : 0) + (itsBin <= ownBin ? (other.counts[its] ?? 0) : 0))
      if (ownBin <= itsBin) own++
      if (itsBin <= ownBin) its++
    }
  }

  /**
   * Milliseconds within which this share (0 to 1) of the values lies, by nearest rank: 0.95 of 20 values is the 19th. Within
   * SKETCH_ERROR of the true one; undefined where there are no values.
   */
  quantile(share: number): number | undefined {
    let missing = Math.max(1, Math.ceil(share * this.total))
    for (const [at, count] of this.counts.entries()) {
      missing -= count
      if (missing <= 0) return middleOf(this.bins[at] ?? 0)
    }
    return undefined
  }

  /** The share of values above `ms`, 0 where there are none. Values within SKETCH_ERROR of `ms` may count on either side of it. */
  shareAbove(ms: number): number {
    if (this.total === 0) return 0
    let above = 0
    for (const [at, count] of this.counts.entries()) if (middleOf(this.bins[at] ?? 0) > ms) above += count
    return above / this.total
  }

  /** For rows: each bin's distance from the one before, and its count. Equal for equal sketches only. */
  encode(): readonly number[] {
    return this.bins.flatMap((bin, at) => [bin - (this.bins[at - 1] ?? 0), this.counts[at] ?? 0])
  }

  static decode(stored: readonly number[]): LatencySketch {
    const sketch = new LatencySketch()
    let bin = 0
    for (let at = 0; at + 1 < stored.length; at += 2) {
      const count = stored[at + 1] ?? 0
      sketch.bins.push((bin += stored[at] ?? 0))
      sketch.counts.push(count)
      sketch.total += count
    }
    return sketch
  }
}

/** 0 below a millisecond; else 1 + i where γ^(i-1) < ms ≤ γ^i. */
function binOf(ms: number): number {
  if (!(ms >= 1)) return 0
  return 1 + Math.ceil(Math.log(Math.min(ms, SKETCHED_MS_MAX)) / LN_GAMMA)
}

/** The value whose relative distance to both ends of the bin is SKETCH_ERROR: 2γ^i / (γ + 1). */
const middleOf = (bin: number) => (bin === 0 ? 0 : Math.exp((bin - 1) * LN_GAMMA) * (1 - SKETCH_ERROR))

/** Where `bin` stands or would stand. */
function placeOf(bins: readonly number[], bin: number): number {
  let from = 0
  let to = bins.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((bins[middle] ?? 0) < bin) from = middle + 1
    else to = middle
  }
  return from
}
