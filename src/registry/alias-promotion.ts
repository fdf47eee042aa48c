import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { BackendId, ModelId } from '../base/ids'
import type { AliasMember } from './model-version'
import type { RouteBounds } from './judge-route'
import { groupsAt, type AliasGroups } from './route-share'

/**
 * An alias's way to a tuned model, and where it comes from. One record for each alias that was ever promoted, so that two
 * promotions of one alias meet there and one wins.
 *
 * P1 What is going to be done to the alias is written here before it is done, so whoever goes on after a crash does the same.
 * P2 The alias is changed only where it is as this record has left it: what somebody else has made of it since stays.
 */
export interface AliasPromotion {
  readonly alias: string
  readonly modelId: ModelId
  /** The backend of the model. */
  readonly target: BackendId
  /** Whoever began it, and repeats it: a tuning job, an operation. */
  readonly operationId: string
  readonly by: string
  readonly beganAtMs: number
  readonly before: AliasGroups
  /** Rising; the last one leads all calls. */
  readonly steps: readonly PromotionStep[]
  readonly rollBackOn?: RouteBounds | undefined
  readonly stage: PromotionStage
  /** What the alias was promoted to before that, the newest last; at most `PREVIOUS_MAX`. */
  readonly previous: readonly PastPromotion[]
}

export interface PromotionStep {
  readonly percent: number
  readonly minutes: number
}

export type PromotionStage =
  /** `step` counts from 0. */
  | { readonly kind: 'leading'; readonly step: number; readonly sinceMs: number }
  | { readonly kind: 'led'; readonly atMs: number }
  /** Decided, and not yet sure to be done. */
  | { readonly kind: 'returning'; readonly by: string; readonly why: string }
  | { readonly kind: 'returned'; readonly by: string; readonly why: string; readonly atMs: number }

export interface PastPromotion {
  readonly modelId: ModelId
  readonly target: BackendId
  readonly before: AliasGroups
  readonly operationId: string
  readonly by: string
  readonly beganAtMs: number
}

export const PREVIOUS_MAX = 20

export const isUnderWay = ({ stage }: AliasPromotion) => stage.kind === 'leading' || stage.kind === 'returning'

/** What the alias is to be at a step. */
export function groupsOfStep({ before, target, steps }: AliasPromotion, step: number): AliasGroups {
  return groupsAt(before, target, steps[step]?.percent ?? 100) ?? before
}

/** Whether the alias is as the promotion began with, or has made it (P2). */
export function isOwnDoing(promotion: AliasPromotion, groups: AliasGroups): boolean {
  if (isDeepStrictEqual(groups, promotion.before)) return true
  return promotion.steps.some((_, step) => isDeepStrictEqual(groups, groupsOfStep(promotion, step)))
}

/** All that a call may be led to, as the model's history shows it. */
export const membersOf = (groups: AliasGroups): AliasMember[] => groups.flatMap(({ members }) => members)

/** Aliases may have characters that ids of records do not take. */
export const promotionRecordOf = (alias: string) => `${PROMOTION_PREFIX}${hash('sha256', alias, 'hex').slice(0, 32)}`
export const PROMOTION_PREFIX = 'modelroutes-'
