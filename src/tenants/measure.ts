import type { BackendId } from '../base/ids'
import type { ModelAlias } from './snapshot'

/**
 * What the platform does about a tenant that was found to be in others' way, at the backends of one of its pools: everything
 * else of the tenant is as before. It rides on the tenant's snapshot, so the data path awaits nothing for it (I12), and ends
 * by itself at `untilMs` unless it is renewed: nobody stays held back because a timer stopped.
 */
export type Measure =
  /** Its turns at full backends come as for this share of its weight. */
  | ({ readonly kind: 'lower-weight'; readonly weightShare: number } & MeasurePlace)
  /** And its calls there are admitted up to so many tokens a minute, whatever its other limits are. */
  | ({ readonly kind: 'throttle'; readonly weightShare: number; readonly tokensPerMinute: number } & MeasurePlace)
  /** None of its calls there is admitted. */
  | ({ readonly kind: 'quarantine' } & MeasurePlace)

interface MeasurePlace {
  /** Names the backends together. */
  readonly poolId: BackendId
  readonly backendIds: readonly BackendId[]
  /** Unix milliseconds. */
  readonly untilMs: number
}

/** The measure that holds for an alias now. */
export const measureNow = ({ measure }: Pick<ModelAlias, 'measure'>, nowMs: number): Measure | undefined =>
  measure && nowMs < measure.untilMs ? measure : undefined

const severity: Readonly<Record<Measure['kind'], number>> = { 'lower-weight': 1, throttle: 2, quarantine: 3 }

/** The strictest one at any backend that the alias leads to; pure. */
export function measureOf({ groups }: Pick<ModelAlias, 'groups'>, measures: readonly Measure[]): Measure | undefined {
  const reached = new Set(groups.flatMap(({ members }) => members.map(({ backendId }) => backendId)))
  return measures
    .filter(({ backendIds }) => backendIds.some((id) => reached.has(id)))
    .toSorted((a, b) => severity[b.kind] - severity[a.kind])[0]
}
