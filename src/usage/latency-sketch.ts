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

/** A bin that is looked up costs as much as so many that are copied. */
const FEW_BINS = 8

const LN_GAMMA = Math.log((1 + SKETCH_ERROR) / (1 - SKETCH_ERROR))

export class LatencySketch {
  // Not `#private`, or tests could not tell two sketches apart by comparing them.
  /**
   * Bin and count by turns, the bins ascending. An array of its own length for each new bin: most sketches hold few values, and room
   * to grow would be most of their memory.
   */
  private cells: number[] = []
  private total = 0

  /** How many values it holds. */
  get count(): number {
    return this.total
  }

  /** Below a millisecond counts as zero. `times` is a whole number. */
  add(ms: number, times = 1): void {
    if (times > 0) this.addTo(binOf(ms), times)
  }

  /** As `add` of a time that lies in this bin. */
  addBin(bin: number): void {
    this.addTo(bin, 1)
  }

  /** Afterwards as if every value of `other` had been added here; `other` stays as it is. */
  merge(other: LatencySketch): void {
    // A minute into a month, say: most of the month's bins stay as they are.
    if (other.cells.length * FEW_BINS < this.cells.length) {
      for (const [bin, times] of pairsOf(other.cells)) this.addTo(bin, times)
      return
    }
    this.total += other.total
    this.cells = this.cells.length === 0 ? other.cells.slice() : mergedCells(this.cells, other.cells)
  }

  /**
   * Milliseconds within which this share (0 to 1) of the values lies, by nearest rank: 0.95 of 20 values is the 19th. Within
   * SKETCH_ERROR of the true one; undefined where there are no values.
   */
  quantile(share: number): number | undefined {
    let missing = Math.max(1, Math.ceil(share * this.total))
    for (const [bin, times] of pairsOf(this.cells)) {
      missing -= times
      if (missing <= 0) return middleOf(bin)
    }
    return undefined
  }

  /** The share of values above `ms`, 0 where there are none. Values within SKETCH_ERROR of `ms` may count on either side of it. */
  shareAbove(ms: number): number {
    if (this.total === 0) return 0
    let above = 0
    for (const [bin, times] of pairsOf(this.cells)) if (middleOf(bin) > ms) above += times
    return above / this.total
  }

  /** For rows: each bin's distance from the one before, and its count. Equal for equal sketches only. */
  encode(): readonly number[] {
    let before = 0
    return this.cells.map((cell, at) => {
      if (at % 2 === 1) return cell
      const distance = cell - before
      before = cell
      return distance
    })
  }

  static decode(stored: readonly number[]): LatencySketch {
    const sketch = new LatencySketch()
    let bin = 0
    sketch.cells = stored.map((cell, at) => {
      if (at % 2 === 0) return (bin += cell)
      sketch.total += cell
      return cell
    })
    return sketch
  }

  private addTo(bin: number, times: number): void {
    this.total += times
    const at = placeOf(this.cells, bin)
    if (this.cells[at] === bin) this.cells[at + 1] = (this.cells[at + 1] ?? 0) + times
    else this.cells = this.cells.toSpliced(at, 0, bin, times)
  }
}

function* pairsOf(cells: readonly number[]): Generator<[bin: number, times: number]> {
  for (let at = 0; at < cells.length; at += 2) yield [cells[at] ?? 0, cells[at + 1] ?? 0]
}

function mergedCells(some: readonly number[], others: readonly number[]): number[] {
  const cells: number[] = []
  for (let a = 0, b = 0; a < some.length || b < others.length;) {
    const [binA, binB] = [some[a] ?? Infinity, others[b] ?? Infinity]
    cells.push(
      Math.min(binA, binB),
      (binA <= binB ? (some[a + 1] ?? 0) : 0) + (binB <= binA ? (others[b + 1] ?? 0) : 0),
    )
    if (binA <= binB) a += 2
    if (binB <= binA) b += 2
  }
  return cells
}

/** 0 below a millisecond; else 1 + i where γ^(i-1) < ms ≤ γ^i. Below 1,000. */
export function binOf(ms: number): number {
  if (!(ms >= 1)) return 0
  return 1 + Math.ceil(Math.log(Math.min(ms, SKETCHED_MS_MAX)) / LN_GAMMA)
}

/** The value whose relative distance to both ends of the bin is SKETCH_ERROR: 2γ^i / (γ + 1). */
const middleOf = (bin: number) => (bin === 0 ? 0 : Math.exp((bin - 1) * LN_GAMMA) * (1 - SKETCH_ERROR))

/** Where `bin` stands or would stand among cells. */
function placeOf(cells: readonly number[], bin: number): number {
  let from = 0
  let to = cells.length / 2
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((cells[2 * middle] ?? 0) < bin) from = middle + 1
    else to = middle
  }
  return 2 * from
}
