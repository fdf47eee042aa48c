import type { BackendId, TenantId } from '../base/ids'
import type { TierName } from '../tenants/snapshot'
import type { DayNumber } from './day'

/**
 * One look at every tenant and every deployment, from its beginning to its end over as many calls and instances as it takes. Where it
 * stands is one row; what was done behind it is done again after a crash, to the same effect.
 */
export interface CapacityRun {
  /** When it began, Unix milliseconds; also the generation of its ranking. */
  readonly generation: number
  /** The last day that is looked at, fixed at the beginning so that all of it speaks of the same days. */
  readonly through: DayNumber
  readonly phase: RunPhase
  readonly tenants: number
  readonly deployments: number
  /** Those that could not be looked at; they keep what the run before said of them, and have no place in the ranking. */
  readonly failed: number
  /** How large tenants of each tier are. */
  readonly tierSizes: Readonly<Partial<Record<TierName, TierSizes>>>
  /** The generation whose ranking is read until this run has ended. */
  readonly rankedGeneration: number | undefined
  readonly endedAtMs: number | undefined
}

export type RunPhase =
  | { readonly kind: 'tenants'; readonly after: TenantId | undefined }
  | { readonly kind: 'deployments'; readonly after: BackendId | undefined }
  | { readonly kind: 'ended' }

/** How many tenants have a fullest minute, expected a month ahead, of so many tokens: by powers of two, from 1. */
export interface TierSizes {
  readonly counts: readonly number[]
}

export const newRun = (nowMs: number, through: DayNumber, before: CapacityRun | undefined): CapacityRun => ({
  generation: nowMs,
  through,
  phase: { kind: 'tenants', after: undefined },
  tenants: 0,
  deployments: 0,
  failed: 0,
  tierSizes: {},
  rankedGeneration: before && (before.phase.kind === 'ended' ? before.generation : before.rankedGeneration),
  endedAtMs: undefined,
})

/** What is read: of a run that has ended its own ranking, else the one before. */
export const rankedGenerationOf = ({ phase, generation, rankedGeneration }: CapacityRun) =>
  phase.kind === 'ended' ? generation : rankedGeneration

/** With one more tenant of that size; tenants that use nothing say nothing of what one needs. */
export function withSize(sizes: TierSizes | undefined, tokensPerMinute: number): TierSizes {
  if (tokensPerMinute < 1) return sizes ?? { counts: [] }
  const at = Math.floor(Math.log2(tokensPerMinute))
  const counts = sizes?.counts ?? []
  return {
    counts: Array.from({ length: Math.max(counts.length, at + 1) }, (_, i) => (counts[i] ?? 0) + (i === at ? 1 : 0)),
  }
}

/** Tokens a minute that such a share of the tier’s tenants stays within: the upper end of a power of two. Undefined for none. */
export function sizeWithin({ counts }: TierSizes, share: number): number | undefined {
  const all = counts.reduce((total, count) => total + count, 0)
  let seen = 0
  for (const [power, count] of counts.entries()) {
    seen += count
    if (all > 0 && seen >= share * all) return 2 ** (power + 1)
  }
  return undefined
}
