import type { BackendId } from '../base/ids'
import type { FieldError } from '../base/problem'
import { budgetNames, type Budgets } from './budget'
import { checkDrift } from './check-drift'
import { checkFallbacks } from './check-fallbacks'
import { checkOwnModels } from './check-own-models'
import { checkStandIns } from './check-stand-ins'
import { modelFacts } from './models'
import type { OwnLimits, TierName } from './snapshot'
import type { AliasSpec, TenantRecord } from './tenant-record'
import { tiers, type Tier } from './tiers'

/**
 * What is wrong with a record as a whole and against what it was (`current`; undefined for a new one), after each field has been parsed for itself: all faults at once, each naming
 * its field and what would be valid. Empty for a sound record.
 */
export function checkRecord(
  record: TenantRecord,
  { current, knownBackends }: { current: TenantRecord | undefined; knownBackends: ReadonlySet<BackendId> },
): FieldError[] {
  const tier = tiers[record.tier]
  return [
    ...checkOwnModels(record, current),
    ...checkLimits(record.limitOverrides, { at: 'limitOverrides', tier }),
    ...checkBudgets(record.budgetOverrides ?? {}, { at: 'budgetOverrides', tier }),
    ...checkAliasCount(record.aliases, tier),
    ...checkFallbacks(record.aliases),
    ...checkStandIns(record),
    ...checkDrift(record),
    ...record.aliases.flatMap((alias, index) => checkAlias(alias, { index, all: record.aliases, tier, knownBackends })),
  ]
}

/**
 * What is wrong with the limits and budgets of a key, by its tenant's tier. The tenant's own hold for the key's calls too;
 * more than the tier can ever give would promise what is not there. A tier that changes later leaves keys as they are.
 */
export function checkKeyBounds(
  { limits, budgets }: { readonly limits?: OwnLimits | undefined; readonly budgets?: Budgets | undefined },
  tierName: TierName,
): FieldError[] {
  const tier = tiers[tierName]
  return [...checkLimits(limits ?? {}, { at: 'limits', tier }), ...checkBudgets(budgets ?? {}, { at: 'budgets', tier })]
}

/** Of the tenant, or of one of its keys or aliases: `at` is the field. */
function checkLimits(overrides: OwnLimits, { at, tier }: { at: string; tier: Tier }): FieldError[] {
  const names = ['requestsPerMinute', 'tokensPerMinute', 'concurrentCalls'] as const
  return names.flatMap((name) => {
    const limit = overrides[name]
    if (limit === undefined || limit <= tier.limitsMax[name]) return []
    const message = `The ${tier.name} tier allows 1 to ${tier.limitsMax[name]}`
    return [{ path: `${at}.${name}`, message }]
  })
}

function checkBudgets(budgets: Budgets, { at, tier }: { at: string; tier: Tier }): FieldError[] {
  return budgetNames.flatMap((name) => {
    const [budget, most] = [budgets[name], tier.budgetsMax[name]]
    if (budget === undefined || most === undefined || budget.limit <= most) return []
    return [{ path: `${at}.${name}.limit`, message: `The ${tier.name} tier allows 1 to ${most}` }]
  })
}

function checkAliasCount(aliases: readonly AliasSpec[], tier: Tier): FieldError[] {
  if (aliases.length <= tier.aliasesMax) return []
  return [{ path: 'aliases', message: `The ${tier.name} tier allows at most ${tier.aliasesMax} aliases` }]
}

function checkAlias(alias: AliasSpec, { index, all, tier, knownBackends }: AliasContext): FieldError[] {
  const errors: FieldError[] = []
  const fault = (field: string, message: string) => errors.push({ path: `aliases.${index}.${field}`, message })

  if (all.findIndex(({ name }) => name === alias.name) < index)
    fault('name', `"${alias.name}" is taken by an earlier alias; names are unique within a tenant`)
  if (alias.capabilities === undefined && modelFacts(alias.model) === undefined)
    fault('capabilities', `"${alias.model}" is not a model the platform knows: say what it can do, such as ["chat"]`)
  if (alias.outputTokensMax !== undefined && alias.outputTokensMax > tier.outputTokensMax)
    fault('outputTokensMax', `The ${tier.name} tier allows 1 to ${tier.outputTokensMax}`)

  errors.push(...checkLimits(alias.limits ?? {}, { at: `aliases.${index}.limits`, tier }))
  errors.push(...checkBudgets(alias.budgets ?? {}, { at: `aliases.${index}.budgets`, tier }))

  for (const [g, group] of alias.groups.entries())
    for (const [m, { backendId }] of group.members.entries())
      if (!knownBackends.has(backendId))
        fault(`groups.${g}.members.${m}.backendId`, `No backend "${backendId}": GET api/platform/backends lists them`)
  return errors
}

interface AliasContext {
  readonly index: number
  readonly all: readonly AliasSpec[]
  readonly tier: Tier
  readonly knownBackends: ReadonlySet<BackendId>
}
