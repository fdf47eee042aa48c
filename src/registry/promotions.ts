import { isDeepStrictEqual } from 'node:util'
import { assertNever } from '../base/assert'
import type { Clock } from '../base/clock'
import type { BackendId, ModelId } from '../base/ids'
import { Problem, ProblemError } from '../base/problem'
import { changeRecord } from '../encryption/change-record'
import { countRecords, removeRecords } from '../encryption/record-ranges'
import type { SealedRecords } from '../encryption/sealed-records'
import type { Backend } from '../routing/backend'
import type { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import type { AliasFigures } from './alias-figures'
import {
  groupsOfStep,
  isOwnDoing,
  isUnderWay,
  PROMOTION_PREFIX,
  promotionRecordOf,
  type AliasPromotion,
  type PromotionStage,
  type PromotionStep,
} from './alias-promotion'
import { judgeRoute, type RouteBounds } from './judge-route'
import { noteOnModel, preparePromotion, previousOf, underWay } from './prepare-promotion'
import type { Registry } from './registry'
import type { AliasGroups } from './route-share'

/** Leads a tenant's aliases to its tuned models, and back. */
export interface Promotions {
  /** Repeated with the same operation it answers with what is there. Nobody's calls are led anywhere before `advance`. */
  begin(scope: TenantScope, wish: PromotionWish): Promise<AliasPromotion | Problem>
  /** One step on, where it is time for one: to be asked again after `againAfterMs`, until it is over. */
  advance(scope: TenantScope, alias: string, operationId: string): Promise<Advanced>
  /** Leads the aliases that were promoted to the model last back to exactly what they were. */
  rollBack(scope: TenantScope, modelId: ModelId, by: { by: string; why: string }): Promise<AliasPromotion[] | Problem>
  /** For one alias, where it is of this operation. */
  takeBack(scope: TenantScope, alias: string, operationId: string): Promise<void>
  /** The newest of an alias. */
  get(scope: TenantScope, alias: string): Promise<AliasPromotion | undefined>
  list(scope: TenantScope): AsyncIterable<AliasPromotion>
  removeAll(scope: TenantScope): Promise<void>
  count(scope: TenantScope): Promise<number>
}

export interface PromotionWish {
  readonly modelId: ModelId
  readonly alias: string
  /** Rising, the last with 100 percent. */
  readonly steps: readonly PromotionStep[]
  readonly rollBackOn?: RouteBounds | undefined
  readonly operationId: string
  readonly by: string
}

export type Advanced =
  | { readonly kind: 'led' }
  | { readonly kind: 'not-yet'; readonly againAfterMs: number }
  /** Back to what it was, by itself or by somebody's hand. */
  | { readonly kind: 'returned'; readonly why: string }

export interface PromotionsDeps {
  readonly records: Pick<SealedRecords, 'get' | 'putIfAbsent' | 'replace' | 'remove' | 'ids' | 'values'>
  readonly registry: Pick<Registry, 'get' | 'change'>
  readonly tenants: Pick<Tenants, 'get' | 'leadAlias'>
  readonly backendOf: (id: BackendId) => Promise<Backend | undefined>
  readonly figuresOf: AliasFigures
  readonly clock: Clock
}

const MINUTE_MS = 60_000
/** Between two looks at the figures of a step. */
const LOOK_MS = MINUTE_MS
/** Until every instance leads by a new share: they hold a tenant's snapshot for less than that. */
const KNOWN_EVERYWHERE_MS = MINUTE_MS
const AGAIN_MS = 100

export function createPromotions(deps: PromotionsDeps): Promotions {
  const { records, clock } = deps

  const read = async (scope: TenantScope, alias: string) =>
    (await records.get<AliasPromotion>(scope, promotionRecordOf(alias)))?.value

  const change = (
    scope: TenantScope,
    alias: string,
    edit: (promotion: AliasPromotion | undefined) => AliasPromotion | Problem,
  ) => changeRecord<AliasPromotion, Problem>(records, scope, promotionRecordOf(alias), edit)

  /** From the stage that was read to another; where somebody was faster, what they made of it stays. */
  const moveOn = (scope: TenantScope, { alias, operationId, stage }: AliasPromotion, next: PromotionStage) =>
    change(scope, alias, (current) => {
      if (!current) return noPromotion
      const isAsRead = current.operationId === operationId && isDeepStrictEqual(current.stage, stage)
      return isAsRead ? { ...current, stage: next } : current
    })

  const lead = (scope: TenantScope, promotion: AliasPromotion, groups: AliasGroups) =>
    deps.tenants.leadAlias(scope, promotion.alias, (current) => (isOwnDoing(promotion, current) ? groups : undefined))

  /** The record says that it goes back; now the alias does (P1). */
  const finishReturn = async (scope: TenantScope, promotion: AliasPromotion): Promise<AliasPromotion | Problem> => {
    if (promotion.stage.kind !== 'returning') return promotion
    const back = await lead(scope, promotion, promotion.before)
    if (back instanceof Problem && !isNotOurs(back)) return back
    const { by, why } = promotion.stage
    return moveOn(scope, promotion, { kind: 'returned', by, why, atMs: clock.now() })
  }

  const giveBack = async (
    scope: TenantScope,
    { alias, operationId }: AliasPromotion,
    by: { by: string; why: string },
  ): Promise<AliasPromotion | Problem> => {
    const returning = await change(scope, alias, (current) => {
      if (current?.operationId !== operationId) return noPromotion
      const { kind } = current.stage
      return kind === 'returning' || kind === 'returned' ? current : { ...current, stage: { kind: 'returning', ...by } }
    })
    return returning instanceof Problem ? returning : finishReturn(scope, returning)
  }

  const whyBack = async (scope: TenantScope, promotion: AliasPromotion, at: { step: number; sinceMs: number }) => {
    const { alias, target, steps, rollBackOn } = promotion
    const fromMs = Math.ceil((at.sinceMs + KNOWN_EVERYWHERE_MS) / MINUTE_MS) * MINUTE_MS
    const toMs = clock.now()
    if (!rollBackOn || toMs <= fromMs) return undefined
    const figures = await deps.figuresOf(scope, alias, { fromMs, toMs })
    return judgeRoute({ target, percent: steps[at.step]?.percent ?? 100, bounds: rollBackOn, figures })
  }

  /** Leads by the present step, looks whether it may stay so, and goes on to the next one when its time has come. */
  const advanceStep = async (
    scope: TenantScope,
    promotion: AliasPromotion,
    stage: Extract<PromotionStage, { kind: 'leading' }>,
  ): Promise<Advanced> => {
    const { alias, operationId, steps } = promotion
    // Its offboarding waits for whatever else is under way to end.
    const tenant = await deps.tenants.get(scope)
    if (!tenant || tenant.state === 'offboarding') return { kind: 'returned', why: 'The tenant is being offboarded.' }
    const led = await lead(scope, promotion, groupsOfStep(promotion, stage.step))
    if (led instanceof Problem) {
      if (!isNotOurs(led)) throw new ProblemError(led)
      const why = `The alias "${alias}" was changed by others meanwhile, and stays as they made it.`
      settled(await moveOn(scope, promotion, { kind: 'returned', by: 'platform', why, atMs: clock.now() }))
      return { kind: 'returned', why }
    }
    // Somebody may have taken it back between our reading and our leading.
    const now = await read(scope, alias)
    if (now?.operationId === operationId && (now.stage.kind === 'returning' || now.stage.kind === 'returned')) {
      const back = await lead(scope, now, now.before)
      if (back instanceof Problem && !isNotOurs(back)) throw new ProblemError(back)
      settled(await finishReturn(scope, now))
      return { kind: 'returned', why: now.stage.why }
    }
    const why = await whyBack(scope, promotion, stage)
    if (why !== undefined) {
      settled(await giveBack(scope, promotion, { by: 'platform', why }))
      return { kind: 'returned', why }
    }
    const leftMs = stage.sinceMs + (steps[stage.step]?.minutes ?? 0) * MINUTE_MS - clock.now()
    if (leftMs > 0) return { kind: 'not-yet', againAfterMs: Math.min(LOOK_MS, leftMs) }
    const atMs = clock.now()
    const isLast = stage.step >= steps.length - 1
    settled(
      await moveOn(
        scope,
        promotion,
        isLast ? { kind: 'led', atMs } : { kind: 'leading', step: stage.step + 1, sinceMs: atMs },
      ),
    )
    return isLast ? { kind: 'led' } : { kind: 'not-yet', againAfterMs: AGAIN_MS }
  }

  const advance = async (scope: TenantScope, alias: string, operationId: string): Promise<Advanced> => {
    const promotion = await read(scope, alias)
    if (promotion?.operationId !== operationId) return { kind: 'returned', why: 'Another promotion took its place.' }
    const { stage } = promotion
    switch (stage.kind) {
      case 'led':
        return { kind: 'led' }
      case 'returned':
        return { kind: 'returned', why: stage.why }
      case 'returning':
        settled(await finishReturn(scope, promotion))
        return { kind: 'returned', why: stage.why }
      case 'leading':
        return advanceStep(scope, promotion, stage)
      default:
        return assertNever(stage)
    }
  }

  const beginAnew = async (scope: TenantScope, wish: PromotionWish): Promise<AliasPromotion | Problem> => {
    const fresh = await preparePromotion(deps, scope, wish)
    if (fresh instanceof Problem) return fresh
    return change(scope, wish.alias, (current) => {
      if (current?.operationId === wish.operationId) return current
      if (current && isUnderWay(current)) return underWay(current)
      return { ...fresh, previous: current ? previousOf(current) : [] }
    })
  }

  return {
    advance,
    get: read,
    begin: async (scope, wish) => {
      const known = await read(scope, wish.alias)
      const begun = known?.operationId === wish.operationId ? known : await beginAnew(scope, wish)
      // Also where it is repeated: whoever began it may not have come this far.
      if (!(begun instanceof Problem)) await noteOnModel(deps, scope, begun)
      return begun
    },
    rollBack: async (scope, modelId, by) => {
      const returned: AliasPromotion[] = []
      const record = await deps.tenants.get(scope)
      for await (const { value } of records.values<AliasPromotion>(scope, PROMOTION_PREFIX)) {
        const last = lastOf(value)
        if (last?.modelId !== modelId) continue
        const alias = record?.aliases.find(({ name }) => name === last.alias)
        if (!alias || !isOwnDoing(last, alias.groups)) return changedByOthers(last.alias)
        if (last !== value) settled(await change(scope, last.alias, (current) => reinstated(current, value, last)))
        const back = await giveBack(scope, last, by)
        if (back instanceof Problem) return back
        returned.push(back)
      }
      return returned.length > 0 ? returned : new Problem('conflict', 'No alias leads to this model by a promotion.')
    },
    takeBack: async (scope, alias, operationId) => {
      const promotion = await read(scope, alias)
      if (promotion?.operationId !== operationId || promotion.stage.kind === 'returned') return
      settled(await giveBack(scope, promotion, { by: operationId, why: 'What asked for it was undone.' }))
    },
    async *list(scope) {
      for await (const { value } of records.values<AliasPromotion>(scope, PROMOTION_PREFIX)) yield value
    },
    removeAll: (scope) => removeRecords(records, scope, [PROMOTION_PREFIX]),
    count: (scope) => countRecords(records, scope, PROMOTION_PREFIX),
  }
}

/** The alias is gone, or somebody else has made of it what it is (P2). */
const isNotOurs = ({ code }: Problem) => code === 'not_found' || code === 'precondition_failed'

function settled(result: AliasPromotion | Problem): AliasPromotion {
  if (result instanceof Problem) throw new ProblemError(result)
  return result
}

/** The promotion that the alias stands by: the one before, where the newest was taken back. */
function lastOf(promotion: AliasPromotion): AliasPromotion | undefined {
  if (promotion.stage.kind !== 'returned') return promotion
  const past = promotion.previous.at(-1)
  if (!past) return undefined
  const stage: PromotionStage = { kind: 'led', atMs: past.beganAtMs }
  const { alias, previous } = promotion
  return { ...past, alias, steps: [{ percent: 100, minutes: 0 }], stage, previous: previous.slice(0, -1) }
}

const reinstated = (current: AliasPromotion | undefined, read: AliasPromotion, last: AliasPromotion) =>
  current?.operationId === read.operationId && current.stage.kind === 'returned' ? last : (current ?? noPromotion)

const noPromotion = new Problem('not_found', 'There is no such promotion.')

const changedByOthers = (alias: string) =>
  new Problem('conflict', `The alias "${alias}" was changed since it was promoted; what it was before is not restored.`)
