import type { BackendId, TenantId } from '../base/ids'
import type { Ladder, Why } from './climb-ladder'
import type { Evidence } from './find-noisy-neighbours'
import type { Rung } from './noisy-policy'

/** One tenant in others' way in one of its pools: from when it was found until a while after it was over. */
export interface Finding {
  readonly tenantId: TenantId
  readonly poolId: BackendId
  readonly backendIds: readonly BackendId[]
  /** The culprit's own names of its models there. */
  readonly aliases: readonly string[]
  readonly foundAtMs: number
  /** Absent when it is over. */
  readonly ladder?: Ladder | undefined
  readonly closedAtMs?: number | undefined
  /** The end of the last minute that was judged: whoever judges the same one again changes nothing. */
  readonly judgedMs: number
  /** Of the last time that it was in others' way, or pressed. */
  readonly evidence: Evidence
  /** Whether others suffered when it was last judged. */
  readonly harms: boolean
  /** Tokens a minute, as long as it is throttled. */
  readonly tokensPerMinute?: number | undefined
  /** When the measure that is in effect ends unless it is renewed. */
  readonly measureToMs?: number | undefined
  /** Tenants whose log says that they were affected; at most TOLD_MAX. */
  readonly told: readonly TenantId[]
  /** Decided, and perhaps not carried out yet: whoever finds it does. */
  readonly due?: Change | undefined
}

/** A rung left for another; absent `from`: found, absent `to`: over. */
export interface Change {
  readonly from?: Rung | undefined
  readonly to?: Rung | undefined
  readonly why: Why
  readonly atMs: number
}

export const TOLD_MAX = 50

/** One for a culprit and pool, however often it comes back. */
export const alertIdOf = ({ tenantId, poolId }: Pick<Finding, 'tenantId' | 'poolId'>): string =>
  `noisy-neighbour/${tenantId}/${poolId}`

/** In audit logs, that of the culprit and those of others: it says that they are about the same, and of whom it is not. */
export const requestIdOf = ({ foundAtMs }: Pick<Finding, 'foundAtMs'>): string => `noisy-${foundAtMs}`
