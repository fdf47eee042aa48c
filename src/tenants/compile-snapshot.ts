import { asleepOf, mayStandIn } from './asleep-backend'
import { mergeBudgets } from './budget'
import { measureOf } from './measure'
import { modelFacts } from './models'
import type { Capability, ModelAlias, TenantSnapshot } from './snapshot'
import type { AliasSpec, TenantRecord } from './tenant-record'
import { tiers, type Tier } from './tiers'

/** For a model without known facts whose alias names no cap: enough for a long answer, and no more than any model allows. */
const OUTPUT_TOKENS_DEFAULT = 4_096

/** The record with everything filled in that the tier and the models' facts say. Pure, so compiling again changes nothing. */
export function compileSnapshot(record: TenantRecord): TenantSnapshot {
  const tier = tiers[record.tier]
  return {
    tenantId: record.tenantId,
    version: record.version,
    state: record.state,
    displayName: record.displayName,
    tier: record.tier,
    limits: { ...tier.limits, ...record.limitOverrides },
    budgets: mergeBudgets(tier.budgets, record.budgetOverrides ?? {}),
    weight: tier.weight,
    residency: record.residency,
    aliases: withMeasures(
      record,
      withAsleep(record, Object.fromEntries(record.aliases.map((spec) => [spec.name, compileAlias(spec, tier)]))),
    ),
    settings: record.settings,
  }
}

const generatesTokens = (capability: Capability) =>
  capability === 'chat' || capability === 'completions' || capability === 'batch'

function compileAlias(spec: AliasSpec, tier: Tier): ModelAlias {
  const facts = modelFacts(spec.model)
  const capabilities = spec.capabilities ?? facts?.capabilities ?? []
  const outputTokensMax = spec.outputTokensMax ?? (facts?.outputTokensMax || OUTPUT_TOKENS_DEFAULT)
  return {
    name: spec.name,
    model: spec.model,
    capabilities,
    groups: spec.groups,
    outputTokensMax: capabilities.some(generatesTokens) ? Math.min(outputTokensMax, tier.outputTokensMax) : 0,
    outputTokensField: spec.outputTokensField ?? facts?.outputTokensField ?? 'max_tokens',
    ...(spec.limits ? { limits: spec.limits } : {}),
    ...(spec.budgets ? { budgets: spec.budgets } : {}),
    ...(spec.fallback === undefined ? {} : { fallback: spec.fallback }),
    ...(spec.hedge ? { hedge: spec.hedge } : {}),
  }
}

/** Marks those that lead to nothing but sleeping models, with whose answer stands in. */
function withAsleep(
  { asleep = [], settings }: TenantRecord,
  aliases: Readonly<Record<string, ModelAlias>>,
): Readonly<Record<string, ModelAlias>> {
  if (asleep.length === 0) return aliases
  const standIns = settings.tunedModels?.whileAsleep ?? []
  return Object.fromEntries(
    Object.values(aliases).map((alias) => {
      const sleeper = asleepOf(alias.groups, asleep)
      if (!sleeper) return [alias.name, alias]
      const named = standIns.find((each) => each.alias === alias.name)?.answeredBy
      const other = named !== undefined && Object.hasOwn(aliases, named) ? aliases[named] : undefined
      const answeredBy = other && mayStandIn(alias, other) ? { answeredBy: other.name } : {}
      return [alias.name, { ...alias, asleep: { ...sleeper, ...answeredBy } }]
    }),
  )
}

/** Marks those that lead to backends at which the tenant is in others' way. */
function withMeasures(
  { measures = [] }: TenantRecord,
  aliases: Readonly<Record<string, ModelAlias>>,
): Readonly<Record<string, ModelAlias>> {
  if (measures.length === 0) return aliases
  return Object.fromEntries(
    Object.values(aliases).map((alias) => {
      const measure = measureOf(alias, measures)
      return [alias.name, measure ? { ...alias, measure } : alias]
    }),
  )
}
