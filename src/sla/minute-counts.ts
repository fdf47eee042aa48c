import { MINUTE_MS } from '../usage/usage-rows'
import type { GroupSums, UsageGroup } from '../usage/usage-sums'
import { tallyOf, type Circumstances } from './classify'
import { concerns, type Objective } from './objective'
import { noCalls, plus, type Tally } from './tally'

/** Minutes since the epoch. */
export type Minute = number

export const minuteOf = (ms: number): Minute => Math.floor(ms / MINUTE_MS)
export const startMsOf = (minute: Minute): number => minute * MINUTE_MS

/** A piece of a tenant's usage, as it is read: not longer than a minute where minutes are asked for. */
export interface UsagePiece {
  readonly startMs: number
  readonly groups: readonly GroupSums[]
}

/** What one minute was for one objective, and where what was bad in it came from. */
export interface MinuteCounts {
  readonly tally: Tally
  /** Calls that were not good, by how they ended; of latency `slow`. */
  readonly outcomes: Counts
  readonly deployments: Counts
}

export type Counts = Readonly<Record<string, number>>

/** Names in one set of counts; what comes on top counts as `others`. */
const NAMES_MAX = 20
const OTHERS = 'others'
/** Of calls that no backend was reached for. */
const NO_DEPLOYMENT = 'none'

export const noCounts: MinuteCounts = { tally: noCalls, outcomes: {}, deployments: {} }

/**
 * For each objective by itself, in one reading; minutes without calls that count are absent. Memory: an entry a minute and objective,
 * bounded by the span that is read.
 */
export async function countAll(
  objectives: readonly Objective[],
  pieces: AsyncIterable<UsagePiece> | Iterable<UsagePiece>,
  circumstances: Circumstances,
): Promise<Map<Minute, MinuteCounts>[]> {
  const counted = objectives.map(() => new Map<Minute, MinuteCounts>())
  for await (const piece of pieces) {
    const minute = minuteOf(piece.startMs)
    for (const [at, objective] of objectives.entries()) {
      const minutes = counted[at]
      const found = countPiece(objective, piece, circumstances)
      if (minutes && found) minutes.set(minute, addCounts(minutes.get(minute) ?? noCounts, found))
    }
  }
  return counted
}

function countPiece(objective: Objective, piece: UsagePiece, circumstances: Circumstances): MinuteCounts | undefined {
  let counts: MinuteCounts | undefined
  for (const group of piece.groups) {
    if (!concerns(objective, group.group)) continue
    const tally = tallyOf(objective, { startMs: piece.startMs, groups: [group] }, circumstances)
    if (tally.good + tally.bad === 0) continue
    counts = addCounts(counts ?? noCounts, {
      tally,
      outcomes: tally.bad === 0 ? {} : { [whatOf(objective, group.group)]: tally.bad },
      deployments: tally.bad === 0 ? {} : { [group.group.deployment ?? NO_DEPLOYMENT]: tally.bad },
    })
  }
  return counts
}

const whatOf = ({ kind }: Objective, { outcome }: UsageGroup): string => (kind === 'availability' ? outcome : 'slow')

export const addCounts = (a: MinuteCounts, b: MinuteCounts): MinuteCounts => ({
  tally: plus(a.tally, b.tally),
  outcomes: addNames(a.outcomes, b.outcomes),
  deployments: addNames(a.deployments, b.deployments),
})

function addNames(a: Counts, b: Counts): Counts {
  const entries = Object.entries(b)
  if (entries.length === 0) return a
  const sum: Record<string, number> = { ...a }
  for (const [name, count] of entries) {
    const under = Object.hasOwn(sum, name) || Object.keys(sum).length < NAMES_MAX ? name : OTHERS
    sum[under] = (sum[under] ?? 0) + count
  }
  return sum
}
