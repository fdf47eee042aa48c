import type { BackendId } from '../base/ids'
import type { FieldError } from '../base/problem'
import { checkOwnModels } from './check-own-models'
import { modelFacts } from './models'
import type { Limits } from './snapshot'
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
    ...checkLimits(record.limitOverrides, tier),
    ...checkAliasCount(record.aliases, tier),
    ...record.aliases.flatMap((alias, index) => checkAlias(alias, { index, all: record.aliases, tier, knownBackends })),
  ]
}

function checkLimits(overrides: Partial<Limits>, tier: Tier): FieldError[] {
  const names = ['requestsPerMinute', 'tokensPerMinute', 'concurrentCalls'] as const
  return names.flatMap((name) => {
    const limit = overrides[name]
    if (limit === undefined || limit <= tier.limitsMax[name]) return []
    const message = `The ${tier.name} tier allows 1 to ${tier.limitsMax[name]}`
    return [{ path: `limitOverrides.${name}`, message }]
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
