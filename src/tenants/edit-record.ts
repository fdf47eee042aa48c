import type { TenantId } from '../base/ids'
import { mergeBudgets } from './budget'
import type { Limits, TenantSettings } from './snapshot'
import { isTunedAlias } from './tuned-alias'
import type { TenantInput, TenantPatch } from './tenant-input'
import type { OwnAccount } from './own-models-input'
import type { AliasSpec, Isolation, TenantRecord } from './tenant-record'

const defaultSettings: TenantSettings = { hidePromptFilterChunk: false }

/** A tenant as it begins: version 1, being set up. */
export function newRecord(tenantId: TenantId, input: TenantInput, nowMs: number): TenantRecord {
  return {
    ...input,
    tenantId,
    version: 1,
    state: 'onboarding',
    limitOverrides: mergeLimits({}, input.limitOverrides),
    budgetOverrides: mergeBudgets({}, input.budgetOverrides ?? {}),
    settings: mergeSettings(defaultSettings, input.settings),
    createdAt: nowMs,
    updatedAt: nowMs,
  }
}

/** The record with a merge patch applied; version and time are the writer's to set. */
export function patchedRecord(record: TenantRecord, patch: TenantPatch): TenantRecord {
  return {
    ...record,
    displayName: patch.displayName ?? record.displayName,
    contact: patch.contact ?? record.contact,
    tier: patch.tier ?? record.tier,
    residency: patch.residency ?? record.residency,
    aliases: patch.aliases ? withOwnRoutes(patch.aliases, record) : record.aliases,
    limitOverrides: mergeLimits(record.limitOverrides, patch.limitOverrides ?? {}),
    budgetOverrides: mergeBudgets(record.budgetOverrides ?? {}, patch.budgetOverrides ?? {}),
    settings: mergeSettings(record.settings, patch.settings ?? {}),
  }
}

/** What a move makes of a tenant's models. */
export interface ModelsChange {
  readonly isolation: Isolation['models']
  /** By alias; aliases that are not named keep what they have, where it fits. */
  readonly aliases: readonly Pick<AliasSpec, 'name' | 'groups' | 'deployment'>[]
  readonly ownAccount?: OwnAccount | undefined
  /** Of the stamp that it moves to. */
  readonly region?: string | undefined
}

/** The record as it is to be, but for the routes to backends of the tenant's own, which are not there yet. */
export function withModels(
  record: TenantRecord,
  { isolation, aliases, ownAccount, region }: ModelsChange,
): TenantRecord {
  const { ownAccount: _before, ...rest } = record
  const makesDeployments = isolation === 'own-deployment' || isolation === 'dedicated'
  return {
    ...rest,
    region: region ?? record.region,
    isolation: { ...record.isolation, models: isolation },
    aliases: record.aliases.map((spec) => {
      // A tuned model stays where it was trained.
      if (isTunedAlias(spec)) return spec
      const { groups: _groups, deployment: before, ...alias } = spec
      const given = aliases.find(({ name }) => name === alias.name)
      const deployment = given?.deployment ?? (makesDeployments ? before : undefined)
      return { ...alias, groups: given?.groups ?? [], ...(deployment ? { deployment } : {}) }
    }),
    ...(ownAccount ? { ownAccount } : {}),
  }
}

/** Routes to backends of a tenant's own are the platform's to set: a patch that names none leaves them. */
function withOwnRoutes(aliases: NonNullable<TenantPatch['aliases']>, { isolation, aliases: before }: TenantRecord) {
  if (isolation.models === 'shared') return aliases
  return aliases.map((alias) =>
    alias.groups.length > 0
      ? alias
      : { ...alias, groups: before.find(({ name }) => name === alias.name)?.groups ?? alias.groups },
  )
}

/** The limits with a merge patch applied: null takes one away, undefined leaves it. */
export function mergeLimits(
  overrides: Partial<Limits>,
  patch: { readonly [Name in keyof Limits]?: number | null | undefined },
): Partial<Limits> {
  const merged: { -readonly [Name in keyof Limits]?: number } = { ...overrides }
  for (const name of ['requestsPerMinute', 'tokensPerMinute', 'concurrentCalls'] as const) {
    const limit = patch[name]
    if (limit === null) delete merged[name]
    else if (limit !== undefined) merged[name] = limit
  }
  return merged
}

function mergeSettings(
  settings: TenantSettings,
  patch: { readonly [Name in keyof TenantSettings]?: TenantSettings[Name] | undefined },
): TenantSettings {
  const budgetWarnPercents = patch.budgetWarnPercents ?? settings.budgetWarnPercents
  const clientGone = patch.clientGone ?? settings.clientGone
  const tunedModels = patch.tunedModels ?? settings.tunedModels
  const drift = patch.drift ?? settings.drift
  return {
    hidePromptFilterChunk: patch.hidePromptFilterChunk ?? settings.hidePromptFilterChunk,
    ...(budgetWarnPercents ? { budgetWarnPercents } : {}),
    ...(clientGone ? { clientGone } : {}),
    ...(tunedModels ? { tunedModels } : {}),
    ...(drift ? { drift } : {}),
  }
}
