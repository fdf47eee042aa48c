import type { CallSettlement } from '../metering/usage-record'
import { binOf, LatencySketch } from './latency-sketch'

/**
 * Of calls that were answered, wholly or in part, and that somebody waited for: a call that failed is slow or fast for reasons of
 * its own, and for what is metered later (a batch's lines, a training) nobody waited.
 */
export interface UsageSketches {
  /** From arrival to last byte. */
  readonly latency: LatencySketch
  /** From arrival to first byte, of those that have one. */
  readonly firstByte: LatencySketch
  /** For a turn at the backends; zero where there was no wait. Of calls whose line in the log tells it. */
  readonly queued: LatencySketch
}

/** In the order in which rows store them; new ones go to the end. */
export const sketchFields = ['latency', 'firstByte', 'queued'] as const satisfies readonly (keyof UsageSketches)[]

export type SketchField = (typeof sketchFields)[number]

export const newSketches = (): UsageSketches => ({
  latency: new LatencySketch(),
  firstByte: new LatencySketch(),
  queued: new LatencySketch(),
})

/** Of all the groups that have none, which are most. Nobody adds to them. */
export const noSketches: UsageSketches = newSketches()

export function mergeSketches(total: UsageSketches, more: UsageSketches): void {
  for (const field of sketchFields) if (more[field].count > 0) total[field].merge(more[field])
}

const BIN_BITS = 10
/** No sketch has so many bins. */
const NO_BIN = 2 ** BIN_BITS - 1

/** One call's times as one number of 31 bits, for whoever keeps very many: in which bins they lie, in the order of sketchFields. */
export function packTimes({ latencyMs, firstByteMs, queuedMs }: CallSettlement): number {
  return [latencyMs, firstByteMs, queuedMs].reduceRight<number>(
    (packed, ms) => (packed << BIN_BITS) | (ms === undefined ? NO_BIN : binOf(ms)),
    0,
  )
}

export function addTimes(sketches: UsageSketches, packed: number): void {
  let bins = packed
  for (const field of sketchFields) {
    const bin = bins & NO_BIN
    if (bin !== NO_BIN) sketches[field].addBin(bin)
    bins >>>= BIN_BITS
  }
}

/** Undefined where there is nothing in any of them, as with most groups of calls that failed or are under way. */
export function encodeSketches(sketches: UsageSketches): readonly (readonly number[])[] | undefined {
  const encoded = sketchFields.map((field) => sketches[field].encode())
  return encoded.some(({ length }) => length > 0) ? encoded : undefined
}

export function decodeSketches(stored: readonly (readonly number[])[] | undefined): UsageSketches {
  if (!stored) return noSketches
  const [latency, firstByte, queued] = sketchFields.map((_, at) => LatencySketch.decode(stored[at] ?? []))
  return {
    latency: latency ?? new LatencySketch(),
    firstByte: firstByte ?? new LatencySketch(),
    queued: queued ?? new LatencySketch(),
  }
}
