import { isDeepStrictEqual } from 'node:util'
import { Problem } from '../base/problem'
import { familyOf } from '../datasets/training-models'
import type { TenantScope } from '../storage/tenant-scope'
import type { AliasSpec } from '../tenants/tenant-record'
import { groupsOfStep, membersOf, PREVIOUS_MAX, type AliasPromotion, type PastPromotion } from './alias-promotion'
import { modelIdOfName, PROMOTIONS_MAX } from './model-version'
import type { PromotionsDeps, PromotionWish } from './promotions'
import { groupsAt } from './route-share'

/** The promotion as it will be kept, from what alias and model are now; nothing is written. */
export async function preparePromotion(
  deps: PromotionsDeps,
  scope: TenantScope,
  wish: PromotionWish,
): Promise<Omit<AliasPromotion, 'previous'> | Problem> {
  const model = await deps.registry.get(scope, wish.modelId)
  if (!model) return new Problem('not_found', 'There is no such model.')
  const { deployment } = model
  if (model.archivedAt !== undefined) return new Problem('conflict', 'The model is archived. Restore it first.')
  if (deployment.kind !== 'deployed') return new Problem('conflict', 'The model is not deployed. Deploy it first.')
  const alias = (await deps.tenants.get(scope))?.aliases.find(({ name }) => name === wish.alias)
  if (!alias) return new Problem('not_found', `There is no alias "${wish.alias}".`)
  const target = deployment.plan.backendId
  const fault = aliasFault(alias, model.lineage.baseModel) ?? (await faultOfShares(deps, alias, wish, target))
  if (fault) return fault
  const { modelId, steps, rollBackOn, operationId, by } = wish
  const nowMs = deps.clock.now()
  return {
    alias: wish.alias,
    modelId,
    target,
    operationId,
    by,
    beganAtMs: nowMs,
    before: alias.groups,
    steps,
    ...(rollBackOn ? { rollBackOn } : {}),
    stage: { kind: 'leading', step: 0, sinceMs: nowMs },
  }
}

/**
 * Why an alias cannot be led to a model of this base. Its calls have one price and one set of limits, whichever member of it answers:
 * its own model's.
 */
export function aliasFault({ name, model }: AliasSpec, baseModel: string): Problem | undefined {
  if (modelIdOfName(name))
    return invalid('alias', `"${name}" is the name of a tuned model, and leads to no other. Take an alias of your own.`)
  const family = familyOf(baseModel)
  return familyOf(model) === family
    ? undefined
    : invalid(
        'alias',
        `"${name}" is an alias of ${model}, and this model was made of ${family}: its price would be wrong.`,
      )
}

/** Provisioned throughput comes before all else of its group, so beside it a share cannot be kept. */
async function faultOfShares(
  { backendOf }: PromotionsDeps,
  { groups, name }: AliasSpec,
  { steps }: PromotionWish,
  target: AliasPromotion['target'],
): Promise<Problem | undefined> {
  if (steps.every(({ percent }) => percent >= 100)) return undefined
  const advice = 'Promote without percentages.'
  if (!groupsAt(groups, target, 50))
    return invalid('percentages', `No other backend of "${name}" has calls to share. ${advice}`)
  const members = await Promise.all((groups[0]?.members ?? []).map(({ backendId }) => backendOf(backendId)))
  return members.some((backend) => backend?.capacity === 'ptu')
    ? invalid(
        'percentages',
        `"${name}" is served by provisioned throughput, which takes all it can before others. ${advice}`,
      )
    : undefined
}

const invalid = (param: string, message: string) =>
  new Problem('invalid_request', `${param}: ${message}`, { param, errors: [{ path: param, message }] })

export const underWay = ({ alias }: AliasPromotion) =>
  new Problem('conflict', `The alias "${alias}" is being promoted already. Roll that back, or wait until it has ended.`)

/** What the next promotion of the alias remembers of this one: nothing where it was taken back. */
export function previousOf({ stage, previous, ...promotion }: AliasPromotion): readonly PastPromotion[] {
  if (stage.kind !== 'led') return previous
  const { modelId, target, before, operationId, by, beganAtMs } = promotion
  return [...previous, { modelId, target, before, operationId, by, beganAtMs }].slice(-PREVIOUS_MAX)
}

/** On the model too; once, however often it is repeated. */
export async function noteOnModel({ registry }: PromotionsDeps, scope: TenantScope, promotion: AliasPromotion) {
  const { alias, modelId, before, beganAtMs, by, steps } = promotion
  const after = membersOf(groupsOfStep(promotion, steps.length - 1))
  const entry = { alias, before: membersOf(before), after, atMs: beganAtMs, by }
  await registry.change(scope, modelId, (model) =>
    model.promotions.some((kept) => isDeepStrictEqual(kept, entry))
      ? model
      : { ...model, promotions: [...model.promotions, entry].slice(-PROMOTIONS_MAX) },
  )
}
