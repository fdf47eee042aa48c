import type { CountedIn } from './burn-rate'
import { noCounts, type Minute, type MinuteCounts } from './minute-counts'
import { BUCKET_MINUTES, READ_AGAIN_MINUTES, type Bucket } from './sla-state'
import { noCalls, plus, type Tally } from './tally'

/** What is known of one objective: the minutes that were read just now, from `fromMinute` on, and buckets of those before. */
export interface KnownCounts {
  readonly buckets: readonly Bucket[]
  readonly fromMinute: Minute
  readonly minutes: ReadonlyMap<Minute, MinuteCounts>
}

/**
 * Sums over the minutes that end with `minute`. Windows longer than what is read again begin at a bucket's beginning, four minutes
 * early at most, whoever counts: so the sums are the same whether the minutes were read just now or lie in buckets.
 */
export function countedUpTo({ buckets, fromMinute, minutes }: KnownCounts, minute: Minute): CountedIn {
  return (length) => {
    const exact = minute - length + 1
    const first = length <= READ_AGAIN_MINUTES ? exact : Math.floor(exact / BUCKET_MINUTES) * BUCKET_MINUTES
    let sum: Tally = noCalls
    for (let at = Math.max(first, fromMinute); at <= minute; at++) {
      const counted = minutes.get(at)
      if (counted) sum = plus(sum, counted.tally)
    }
    if (first >= fromMinute) return sum
    for (const [start, good, bad] of buckets)
      if (start >= first && start < fromMinute && start <= minute) sum = plus(sum, { good, bad })
    return sum
  }
}

export const countsAt = ({ minutes }: KnownCounts, minute: Minute): MinuteCounts => minutes.get(minute) ?? noCounts

/** The buckets as they are when minutes before `untilMinute` are not read again; those before `sinceMinute` are forgotten. */
export function sealBuckets(
  { buckets, fromMinute, minutes }: KnownCounts,
  { untilMinute, sinceMinute }: { readonly untilMinute: Minute; readonly sinceMinute: Minute },
): Bucket[] {
  const sealed: Bucket[] = buckets.filter(([start]) => start >= sinceMinute)
  for (let start = fromMinute; start < untilMinute; start += BUCKET_MINUTES) {
    let sum: Tally = noCalls
    for (let at = start; at < start + BUCKET_MINUTES; at++) {
      const counted = minutes.get(at)
      if (counted) sum = plus(sum, counted.tally)
    }
    if (start >= sinceMinute && sum.good + sum.bad > 0) sealed.push([start, sum.good, sum.bad])
  }
  return sealed
}
