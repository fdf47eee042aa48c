import type { Counts } from './feature'
import { leastOf, totalOf } from './histogram'

/** Bins of one comparison, with what each counted then and now. */
export interface CoarseBin {
  readonly name: string
  readonly baseline: number
  readonly now: number
}

/** Deciles, as the index is commonly taken over. */
const GROUPS_MAX = 10
const NAMED_LABELS_MAX = 15
/** A label that was rarer counts among the others: a bin of next to nothing makes an index of noise. */
const NAMED_SHARE_MIN = 0.01
/** What was hardly there before and is so much now has a name: that it came is what its tenant wants to know. */
const NEW_SHARE_MIN = 0.05

/**
 * Fine bins put together so that each of the baseline holds a tenth of it or more. Below its least amount and above its largest
 * there is a bin more, empty then: where all training prompts were alike, that is where others show.
 */
export function amountBins(baseline: Counts, now: Counts): readonly CoarseBin[] {
  const met = Object.keys(baseline)
    .map(Number)
    .filter((bin) => (baseline[bin] ?? 0) > 0)
    .toSorted((a, b) => a - b)
  const [first, last] = [met[0], met.at(-1)]
  if (first === undefined || last === undefined) return []
  const starts = [...groupStarts(met, baseline), last + 1]
  const edges = first > 0 ? [0, ...starts] : starts
  const [then, later] = [sumsBetween(edges, baseline), sumsBetween(edges, now)]
  return edges.map((start, at) => ({
    name: rangeName(start, edges[at + 1] ?? Infinity),
    baseline: then[at] ?? 0,
    now: later[at] ?? 0,
  }))
}

/** Of the counts from each edge to the next; the first edge is below all of them, and the last has no end. */
function sumsBetween(edges: readonly number[], counts: Counts): readonly number[] {
  const sums = edges.map(() => 0)
  for (const [bin, count] of Object.entries(counts)) {
    const at = edges.findLastIndex((edge) => edge <= Number(bin))
    sums[at] = (sums[at] ?? 0) + count
  }
  return sums
}

function groupStarts(met: readonly number[], baseline: Counts): number[] {
  const wanted = totalOf(baseline) / GROUPS_MAX
  const starts: number[] = []
  let held = Infinity
  for (const bin of met) {
    if (held >= wanted) {
      starts.push(bin)
      held = 0
    }
    held += baseline[bin] ?? 0
  }
  return starts
}

function rangeName(start: number, end: number): string {
  const least = leastOf(start)
  if (end === Infinity) return `${least} and more`
  const largest = leastOf(end) - 1
  return largest <= least ? String(least) : `${least} to ${largest}`
}

const OTHERS = 'others'

/** Labels by themselves that are more than next to nothing then, or have become much since; all else together. */
export function labelBins(baseline: Counts, now: Counts): readonly CoarseBin[] {
  if (totalOf(baseline) === 0) return []
  const labels = new Set([...common(baseline, NAMED_SHARE_MIN), ...common(now, NEW_SHARE_MIN)])
  const named = [...labels].slice(0, NAMED_LABELS_MAX)
  const isOther = ([label]: readonly [string, number]) => !named.includes(label)
  return [
    ...named.map((name) => ({ name, baseline: baseline[name] ?? 0, now: now[name] ?? 0 })),
    { name: OTHERS, baseline: countOf(baseline, isOther), now: countOf(now, isOther) },
  ]
}

/** Those of this share or more, the most common first. */
function common(counts: Counts, shareMin: number): readonly string[] {
  const total = totalOf(counts)
  return Object.entries(counts)
    .filter(([label, count]) => count / total >= shareMin && label !== OTHERS)
    .toSorted(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .map(([label]) => label)
}

const countOf = (counts: Counts, isCounted: (entry: readonly [string, number]) => boolean): number =>
  Object.entries(counts).reduce((sum, entry) => (isCounted(entry) ? sum + entry[1] : sum), 0)
