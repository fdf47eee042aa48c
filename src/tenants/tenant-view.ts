import { z } from 'zod'
import { budgetWarnPercentsDefault, shownBudgets } from './budget'
import { compileSnapshot } from './compile-snapshot'
import { capabilities, clientGonePolicies, tenantStates, tierNames, type TenantSettings } from './snapshot'
import { aliasName, driftInput, hedgeInput, tenantInput, tunedModelsInput } from './tenant-input'
import type { TenantRecord } from './tenant-record'

const limits = z.object({
  requestsPerMinute: z.int().meta({ description: 'Calls admitted in any 60 s.' }),
  tokensPerMinute: z.int().meta({ description: 'Prompt and output tokens admitted in any 60 s.' }),
  concurrentCalls: z.int().meta({ description: 'Calls under way at one time.' }),
})

const shown = {
  tenantId: z.string(),
  version: z.int().meta({ description: 'Rises with every change; in quotes the ETag.' }),
  state: z.enum(tenantStates),
  displayName: z.string(),
  contact: z.object({ email: z.string() }),
  tier: z.enum(tierNames),
  region: z.string(),
  residency: z.array(z.string()).meta({ description: 'Regions that may serve the tenant; empty means any.' }),
  limits,
  budgets: shownBudgets,
  settings: z.object({
    hidePromptFilterChunk: z.boolean(),
    budgetWarnPercents: z.array(z.int()),
    clientGone: z.enum(clientGonePolicies).optional(),
    tunedModels: tunedModelsInput.optional(),
    drift: driftInput.optional(),
  }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
}

export const operatorTenant = z
  .object({
    ...shown,
    isolation: tenantInput.shape.isolation.unwrap(),
    aliases: tenantInput.shape.aliases.unwrap(),
    ownAccount: tenantInput.shape.ownAccount,
    directory: tenantInput.shape.directory.meta({ description: 'The one with which it was made.' }),
    limitOverrides: limits.partial(),
    budgetOverrides: shownBudgets.optional(),
    weight: z.number().meta({ description: 'Share of a contended backend; 1 is the standard tier’s.' }),
  })
  .meta({ id: 'Tenant' })

export const ownTenant = z
  .object({
    ...shown,
    aliases: z.array(
      z.object({
        name: z.string(),
        model: z.string(),
        capabilities: z.array(z.enum(capabilities)),
        outputTokensMax: z.int(),
        outputTokensField: z.enum(['max_tokens', 'max_completion_tokens']),
        limits: limits.partial().optional(),
        budgets: shownBudgets.optional(),
        fallback: aliasName.optional(),
        hedge: hedgeInput.optional(),
      }),
    ),
  })
  .meta({ id: 'OwnTenant' })

/** A tenant as operators see it: the whole record, with the limits that result. */
export function operatorView(record: TenantRecord) {
  const { createdAt, updatedAt, asleep: _, ...rest } = record
  const { limits, budgets, weight } = compileSnapshot(record)
  const settings = shownSettings(record.settings)
  return { ...rest, limits, budgets, weight, settings, createdAt: isoTime(createdAt), updatedAt: isoTime(updatedAt) }
}

/** A tenant as it sees itself: which backends serve it is the platform's own affair. */
export function tenantView(record: TenantRecord) {
  const { limits, budgets, aliases } = compileSnapshot(record)
  const { tenantId, version, state, displayName, contact, tier, region, residency } = record
  return {
    tenantId,
    version,
    state,
    displayName,
    contact,
    tier,
    region,
    residency,
    aliases: Object.values(aliases).map(({ groups: _groups, asleep: _asleep, ...shown }) => shown),
    limits,
    budgets,
    settings: shownSettings(record.settings),
    createdAt: isoTime(record.createdAt),
    updatedAt: isoTime(record.updatedAt),
  }
}

const shownSettings = (settings: TenantSettings) => ({ budgetWarnPercents: budgetWarnPercentsDefault, ...settings })

/** The ETag of a tenant's representations: its version. */
export const tenantEtag = ({ version }: { readonly version: number }) => `"${version}"`

const isoTime = (timeMs: number) => new Date(timeMs).toISOString()
