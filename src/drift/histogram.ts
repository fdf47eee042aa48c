import { features, type Counts, type FeatureCounts, type Measured } from './feature'

/** Four bins an octave: 19 % wide each, so that 16 million still is the 97th. */
const BINS_PER_OCTAVE = 4
/** Far above any prompt; what is larger counts as this. */
const BIN_MAX = 100
/** Of one feature; labels are few by what makes them, and a fault there must not fill a record. */
const LABELS_MAX = 200

/**
 * The bin of an amount of 0 or more, as a whole number. Bins are the same everywhere and always, whatever the baseline looks like, so that counts of
 * instances and days are merged by adding them; the ten or so bins that a comparison needs are made of these when it is made.
 */
export const binOf = (amount: number): string =>
  String(Math.min(BIN_MAX, Math.floor(BINS_PER_OCTAVE * Math.log2(Math.max(0, Math.round(amount)) + 1))))

/** The least whole amount in a bin. */
export const leastOf = (bin: number): number => Math.ceil(2 ** (bin / BINS_PER_OCTAVE) - 1 - ROUNDING)

const ROUNDING = 1e-9

/** With one more request. */
export function counted(counts: FeatureCounts, measured: Measured): FeatureCounts {
  const next: Record<string, Counts> = {}
  for (const feature of features) {
    const before = counts[feature]
    const label = measured[feature]
    if (label !== undefined) next[feature] = withOneMore(before ?? {}, label)
    else if (before) next[feature] = before
  }
  return next
}

function withOneMore(counts: Counts, label: string): Counts {
  const known = Object.hasOwn(counts, label) ? (counts[label] ?? 0) : 0
  if (known === 0 && Object.keys(counts).length >= LABELS_MAX) return counts
  return { ...counts, [label]: known + 1 }
}

/** Order-free, with `{}` as its zero: so parts of any instance may be merged at any time. */
export function mergeCounts(one: FeatureCounts, other: FeatureCounts): FeatureCounts {
  const merged: Record<string, Counts> = {}
  for (const feature of features) {
    const [a, b] = [one[feature], other[feature]]
    if (a && b) merged[feature] = summed(a, b)
    else if (a ?? b) merged[feature] = a ?? b ?? {}
  }
  return merged
}

function summed(one: Counts, other: Counts): Counts {
  const sums: Record<string, number> = { ...one }
  for (const [label, count] of Object.entries(other)) sums[label] = (sums[label] ?? 0) + count
  return sums
}

export const totalOf = (counts: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0)
