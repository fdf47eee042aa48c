import { assert } from '../base/assert'
import type { Hash } from './example-hash'

/** Entries that are held; a table of so many takes 4 MB. Files with fewer examples are known exactly. */
const SKETCH_ENTRIES_MAX = 196_608

/** Longest way from where an entry belongs to where it lies. Crafted hashes must not make a search long. */
const PROBES_MAX = 64
const SLOTS_MIN = 1_024
/** Numbers of an entry in the table. */
const ENTRY = 4
const SLOTS_MAX = 2 ** 18
const LOAD_MAX = SKETCH_ENTRIES_MAX / SLOTS_MAX

/** Version 1 of how a sketch is written. */
const FORMAT = 'examples1'.padEnd(12)
const HEADER_BYTES = FORMAT.length + 4

/** An example that was met before, or undefined for the first one. */
export interface Repeat {
  readonly firstLine: number
}

/**
 * Which examples a file has, and how often. Exact up to `SKETCH_ENTRIES_MAX` different ones. Beyond, it keeps only those
 * whose hash begins with a zero bit, then two, and so on: a sample of the different examples, each with its
 * whole count, so sums over it are scaled by 2 to the level. Source: Flajolet, "On adaptive sampling" (1990): the relative
 * standard error of what is estimated of n kept entries is about 1.2 / √n.
 */
export class ExampleSketch {
  #slots = SLOTS_MIN
  /** Four numbers an entry: both halves of the hash, its first line (0: none here), how often it was met. */
  #table = new Uint32Array(ENTRY * SLOTS_MIN)
  #entries = 0
  #level = 0
  #unplaced = 0

  constructor(readonly entriesMax = SKETCH_ENTRIES_MAX) {}

  add({ high, low }: Hash, line: number): Repeat | undefined {
    if (!isKept(high, this.#level)) return undefined
    const at = this.#find(high, low)
    if (at === undefined) {
      this.#unplaced += 1
      return undefined
    }
    const firstLine = this.#table[at + 2] ?? 0
    if (firstLine !== 0) {
      this.#table[at + 3] = (this.#table[at + 3] ?? 0) + 1
      return { firstLine }
    }
    this.#put(at, [high, low, line, 1])
    if (this.#entries > Math.min(this.#slots * LOAD_MAX, this.entriesMax)) this.#makeRoom()
    return undefined
  }

  /** Lines that repeat an earlier one; with a sampled sketch, as estimated. */
  repeats(): Estimate {
    let repeats = 0
    let squares = 0
    for (const { count } of this.entries()) {
      repeats += count - 1
      squares += (count - 1) ** 2
    }
    return scaled(repeats, squares, this.#level)
  }

  /** Lines of `other` whose examples stand here too. */
  linesAlsoIn(other: ExampleSketch): Estimate {
    const level = Math.max(this.#level, other.#level)
    let lines = 0
    let squares = 0
    for (const { high, low, count } of other.entries()) {
      if (!isKept(high, level) || this.firstLineOf({ high, low }) === undefined) continue
      lines += count
      squares += count ** 2
    }
    return scaled(lines, squares, level)
  }

  /** Of a kept example; undefined for any other. */
  firstLineOf({ high, low }: Hash): number | undefined {
    const at = this.#find(high, low)
    const line = at === undefined ? 0 : (this.#table[at + 2] ?? 0)
    return line === 0 ? undefined : line
  }

  entries(): Generator<SketchEntry> {
    return entriesOf(this.#table)
  }

  /** Examples that found no place and are not counted: next to none, but for crafted ones. */
  get unplaced(): number {
    return this.#unplaced
  }

  /** To be kept beside the dataset, sealed as it is: whoever guesses an example can see whether it is among these. */
  encode(): Buffer {
    const entries = [...this.entries()]
    const bytes = Buffer.alloc(HEADER_BYTES + 4 * ENTRY * entries.length)
    bytes.write(FORMAT, 0, 'latin1')
    bytes.writeUInt32LE(this.#level, FORMAT.length)
    let at = HEADER_BYTES
    for (const { high, low, firstLine, count } of entries)
      for (const number of [high, low, firstLine, count]) at = bytes.writeUInt32LE(number, at)
    return bytes
  }

  /** Throws on what `encode` has not made. */
  static decode(bytes: Buffer): ExampleSketch {
    const entries = (bytes.length - HEADER_BYTES) / (4 * ENTRY)
    assert(bytes.toString('latin1', 0, FORMAT.length) === FORMAT, 'a sketch of examples begins with its format')
    assert(Number.isInteger(entries) && entries >= 0 && entries <= SKETCH_ENTRIES_MAX, 'a sketch has whole entries')
    const sketch = new ExampleSketch()
    sketch.#level = bytes.readUInt32LE(FORMAT.length)
    for (let at = HEADER_BYTES; at < bytes.length; at += 4 * ENTRY) {
      const [high, low] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)]
      sketch.add({ high, low }, bytes.readUInt32LE(at + 8))
      const place = sketch.#find(high, low)
      if (place !== undefined) sketch.#table[place + 3] = bytes.readUInt32LE(at + 12)
    }
    return sketch
  }

  #find(high: number, low: number): number | undefined {
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      const at = ENTRY * ((low + probe) & (this.#slots - 1))
      if (this.#table[at + 2] === 0) return at
      if (this.#table[at] === high && this.#table[at + 1] === low) return at
    }
    return undefined
  }

  #put(at: number, entry: readonly [number, number, number, number]): void {
    this.#table.set(entry, at)
    this.#entries += 1
  }

  /** A larger table, or beyond the bound half of the entries. */
  #makeRoom(): void {
    if (this.#entries > this.entriesMax) this.#level += 1
    else this.#slots = Math.min(2 * this.#slots, SLOTS_MAX)
    const before = this.#table
    this.#table = new Uint32Array(ENTRY * this.#slots)
    this.#entries = 0
    for (const { high, low, firstLine: line, count } of entriesOf(before)) {
      if (!isKept(high, this.#level)) continue
      const at = this.#find(high, low)
      if (at === undefined) this.#unplaced += 1
      else this.#put(at, [high, low, line, count])
    }
  }
}

export interface SketchEntry extends Hash {
  readonly firstLine: number
  readonly count: number
}

function* entriesOf(table: Uint32Array): Generator<SketchEntry> {
  for (let at = 0; at < table.length; at += ENTRY) {
    const firstLine = table[at + 2] ?? 0
    if (firstLine !== 0) yield { high: table[at] ?? 0, low: table[at + 1] ?? 0, firstLine, count: table[at + 3] ?? 0 }
  }
}

/** Sums over a sample of examples, each of which is in it with one probability. */
export interface Estimate {
  readonly lines: number
  /** How far off it may be, 19 of 20 times; 0 where nothing was sampled. */
  readonly margin: number
}

/** Source: Horvitz and Thompson's estimator, and its variance, for samples that take each element independently. */
function scaled(sum: number, squares: number, level: number): Estimate {
  const share = 2 ** -level
  return {
    lines: Math.round(sum / share),
    margin: Math.ceil((DEVIATIONS_95 * Math.sqrt((1 - share) * squares)) / share),
  }
}

const DEVIATIONS_95 = 1.96
const isKept = (high: number, level: number) => level === 0 || high >>> (32 - level) === 0
