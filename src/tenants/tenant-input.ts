import { z } from 'zod'
import { idInput } from '../base/id-input'
import { parseBackendId } from '../base/ids'
import { budgetsInput, budgetsPatch } from './budget'
import { dataIsolations, modelIsolations } from './tenant-record'
import { deploymentInput, ownAccountInput } from './own-models-input'
import { capabilities, clientGonePolicies, IDLE_HOURS_MAX, tierNames } from './snapshot'

/** Bounds of what a client may hand in. Together they keep a record, its snapshot and a stored answer within a table row. */
const NAME_CHARACTERS_MAX = 100
const EMAIL_CHARACTERS_MAX = 254
const ALIASES_MAX = 100
const GROUPS_MAX = 4
const MEMBERS_MAX = 8
const RESIDENCY_MAX = 20
const LIMIT_MAX = 1_000_000_000
const WEIGHT_MAX = 1_000
const WARN_PERCENT_MAX = 1_000
const WARN_PERCENTS_MAX = 10
const HEDGE_AFTER_MS_MIN = 50
const HEDGE_AFTER_MS_MAX = 60_000
const HEDGE_SHARE_MIN = 0.001
/** Each hedge is paid for twice, and asks more of backends that are slow already. */
const HEDGE_SHARE_MAX = 0.2
const HEDGE_SHARE_DEFAULT = 0.05
const OUTPUT_TOKENS_MAX = 1_000_000

/** Also an Azure deployment's rule, so that a name that is valid here is valid in every client. */
const ALIAS_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const MODEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/
const REGION = /^[a-z][a-z0-9-]{0,39}$/

export const aliasName = z
  .string()
  .regex(ALIAS_NAME, 'Must be 1 to 64 letters, digits, dots, hyphens or underscores, the first a letter or digit')

export const regionName = z.string().regex(REGION, 'Must be a region in lower case, such as "swedencentral"')
export const modelName = z.string().regex(MODEL_NAME, 'Must be the name of a model, such as "gpt-4.1-mini"')
export const displayName = z.string().trim().min(1).max(NAME_CHARACTERS_MAX)
export const contactInput = z.strictObject({ email: z.email('Must be an e-mail address').max(EMAIL_CHARACTERS_MAX) })
const limit = z.int().min(1).max(LIMIT_MAX)

const backendId = idInput({ prefixes: ['bke'], parse: parseBackendId, of: 'a backend' })

const member = z.strictObject({ backendId, weight: z.number().positive().max(WEIGHT_MAX).default(1) })
const group = z.strictObject({ members: z.array(member).min(1).max(MEMBERS_MAX) })

export const aliasGroups = z.array(group).max(GROUPS_MAX)

export const limitsInput = z.strictObject({
  requestsPerMinute: limit.optional(),
  tokensPerMinute: limit.optional(),
  concurrentCalls: limit.optional(),
})

export const hedgeInput = z
  .strictObject({
    afterMs: z.int().min(HEDGE_AFTER_MS_MIN).max(HEDGE_AFTER_MS_MAX),
    shareMax: z.number().min(HEDGE_SHARE_MIN).max(HEDGE_SHARE_MAX).default(HEDGE_SHARE_DEFAULT),
  })
  .meta({
    description:
      'A second backend is asked for a stream that has not begun after `afterMs`; the slower one is cancelled, and its prompt is billed. `shareMax` of the streams at most.',
  })

const alias = z.strictObject({
  name: aliasName,
  model: modelName,
  capabilities: z.array(z.enum(capabilities)).min(1).max(capabilities.length).optional(),
  groups: aliasGroups.default([]),
  /** Of a tenant with deployments of its own: what to make for this alias. */
  deployment: deploymentInput.optional(),
  outputTokensMax: z.int().min(1).max(OUTPUT_TOKENS_MAX).optional(),
  outputTokensField: z.enum(['max_tokens', 'max_completion_tokens']).optional(),
  /** Held besides the tenant's own. */
  limits: limitsInput.optional(),
  budgets: budgetsInput.optional(),
  fallback: aliasName
    .optional()
    .meta({ description: 'The alias whose model answers where no backend of this one does, before the first byte.' }),
  hedge: hedgeInput.optional(),
})

export const tenantAliases = z.array(alias).max(ALIASES_MAX)

/** Entra writes them in lower case; so does the platform. */
export const guid = (message: string) => z.guid(message).transform((text) => text.toLowerCase())

const isolation = z.strictObject({
  models: z.enum(modelIsolations).default('shared'),
  data: z.enum(dataIsolations).default('logical'),
})

export const tunedModelsInput = z.strictObject({
  idleHours: z.int().min(1).max(IDLE_HOURS_MAX).optional().meta({
    description: 'A tuned model that nobody has called for so long sleeps until the next call.',
  }),
  whileAsleep: z
    .array(
      z.strictObject({
        alias: aliasName,
        answeredBy: aliasName.meta({ description: 'Another alias, of the same model, that leads to its base.' }),
      }),
    )
    .max(ALIASES_MAX)
    .optional()
    .meta({ description: 'Which alias answers while the model of another one sleeps; by default none does.' }),
})

/** Below it a sample says too little; above it a model's embeddings of a day cost more than they tell. */
const DRIFT_CALLS_MIN = 50
const DRIFT_CALLS_MAX = 10_000
const DRIFT_DAYS_MAX = 30
const STABILITY_INDEX_MIN = 0.01
const STABILITY_INDEX_MAX = 5

export const driftInput = z
  .strictObject({
    watch: z.boolean().meta({
      description: 'Whether calls to tuned models are compared, in numbers, with what these were trained on.',
    }),
    topicsAlias: aliasName.optional().meta({
      description: 'The alias of yours whose embeddings tell topics; without it topics are not compared.',
    }),
    callsPerDayMax: z.int().min(DRIFT_CALLS_MIN).max(DRIFT_CALLS_MAX).optional().meta({
      description: 'Calls of each model that are measured on a day, 500 by default.',
    }),
    windowDays: z.int().min(1).max(DRIFT_DAYS_MAX).optional(),
    warnAt: z.number().min(STABILITY_INDEX_MIN).max(STABILITY_INDEX_MAX).optional(),
    alarmAt: z.number().min(STABILITY_INDEX_MIN).max(STABILITY_INDEX_MAX).optional(),
  })
  .meta({
    description: 'Taken as a whole: what is left out goes back to its default. An index of 0.25 or more is an alarm.',
  })

const settings = z.strictObject({
  hidePromptFilterChunk: z.boolean().optional(),
  budgetWarnPercents: z
    .array(z.int().min(1).max(WARN_PERCENT_MAX))
    .max(WARN_PERCENTS_MAX)
    .optional()
    .meta({ description: 'Percent of a budget at which to warn; 50, 80 and 100 by default, none with an empty list.' }),
  clientGone: z.enum(clientGonePolicies).optional().meta({
    description: 'Whether a call whose client has gone is read to its end (`drain`, the default) or ended (`cancel`).',
  }),
  tunedModels: tunedModelsInput.optional(),
  drift: driftInput.optional(),
})

const directory = z.strictObject({
  directoryId: guid('Must be the id of an Entra directory, a GUID'),
  /** The user or application that becomes the first owner. */
  ownerObjectId: guid('Must be an Entra object id, a GUID').optional(),
})

export const tenantInput = z.strictObject({
  displayName,
  contact: contactInput,
  tier: z.enum(tierNames).default('standard'),
  region: regionName,
  residency: z.array(regionName).max(RESIDENCY_MAX).default([]),
  isolation: isolation.default({ models: 'shared', data: 'logical' }),
  aliases: tenantAliases.default([]),
  /** Of a tenant whose models are in a subscription of its own. */
  ownAccount: ownAccountInput.optional(),
  /** The tenant's Entra directory: its people and applications then sign in with their own tokens. */
  directory: directory.optional(),
  limitOverrides: limitsInput.default({}),
  budgetOverrides: budgetsInput.optional(),
  settings: settings.default({}),
})
export type TenantInput = z.infer<typeof tenantInput>

/** A JSON merge patch (RFC 7396): what is absent stays; a list is replaced whole; a limit set to null goes back to the tier's. */
export const tenantPatch = z.strictObject({
  displayName: displayName.optional(),
  contact: contactInput.optional(),
  tier: z.enum(tierNames).optional(),
  residency: z.array(regionName).max(RESIDENCY_MAX).optional(),
  aliases: tenantAliases.optional(),
  limitOverrides: z
    .strictObject({
      requestsPerMinute: limit.nullable().optional(),
      tokensPerMinute: limit.nullable().optional(),
      concurrentCalls: limit.nullable().optional(),
    })
    .optional(),
  budgetOverrides: budgetsPatch.optional(),
  settings: settings.optional(),
})
export type TenantPatch = z.infer<typeof tenantPatch>

/** The part of its record that a tenant changes itself. */
export const ownTenantPatch = z.strictObject({ settings })
