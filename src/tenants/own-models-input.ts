import { z } from 'zod'
import { isAzureOpenAiUrl } from '../base/endpoint-url'

const URL_CHARACTERS_MAX = 200
const RESOURCE_ID_CHARACTERS_MAX = 400
const DEPLOYMENTS_MAX = 100
/** Thousands of tokens per minute, or provisioned units: more than Azure gives to any one deployment. */
const CAPACITY_MAX = 100_000

const MODEL_VERSION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/
const DEPLOYMENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
/** A segment of an Azure resource id never needs more than these. */
const ACCOUNT_RESOURCE_ID =
  /^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/[\w.()-]{1,90}\/providers\/Microsoft\.CognitiveServices\/accounts\/[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/i

/** What may serve calls as they come (azure-facts 3.4); batch deployments cannot. */
export const deploymentSkus = [
  'Standard',
  'GlobalStandard',
  'DataZoneStandard',
  'ProvisionedManaged',
  'GlobalProvisionedManaged',
  'DataZoneProvisionedManaged',
] as const

/** Lower case with hyphens: it is part of a Key Vault secret's name. */
export const secretName = z
  .string()
  .regex(
    /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/,
    'Must be 1 to 40 lower-case letters, digits or hyphens, the first a letter',
  )

/** The deployment that an alias gets where its tenant has deployments of its own. */
export const deploymentInput = z.strictObject({
  modelVersion: z.string().regex(MODEL_VERSION, 'Must be the version of the model, such as "2025-04-14"'),
  sku: z.enum(deploymentSkus).default('GlobalStandard'),
  capacity: z
    .int()
    .min(1)
    .max(CAPACITY_MAX)
    .meta({ description: 'Thousands of tokens per minute; of a provisioned sku, units.' }),
})

export type OwnDeployment = z.infer<typeof deploymentInput>

const credential = z.discriminatedUnion('kind', [
  z
    .strictObject({ kind: z.literal('identity') })
    .meta({ description: 'The platform’s application, by a token of the tenant’s directory.' }),
  z
    .strictObject({ kind: z.literal('tenant-secret'), name: secretName })
    .meta({ description: 'An API key that the tenant handed over, kept under this name.' }),
])

/** An Azure OpenAI account in the tenant's own subscription, with the deployments that its aliases lead to. */
export const ownAccountInput = z.strictObject({
  /** For people and for audit; what counts is whether calls of the endpoint are answered. */
  resourceId: z
    .string()
    .max(RESOURCE_ID_CHARACTERS_MAX)
    .regex(ACCOUNT_RESOURCE_ID, 'Must be the resource id of an account of Microsoft.CognitiveServices')
    .optional(),
  endpoint: z
    .string()
    .max(URL_CHARACTERS_MAX)
    .transform((text) => text.replace(/\/+$/, ''))
    .refine(
      isAzureOpenAiUrl,
      'Must be the https:// address of an Azure OpenAI account, such as "https://contoso.openai.azure.com"',
    ),
  directoryId: z
    .guid('Must be the id of the Entra directory that the account is in, a GUID')
    .transform((text) => text.toLowerCase())
    .optional(),
  deployments: z
    .record(z.string(), z.string().regex(DEPLOYMENT, 'Must be the name of a deployment in the account'))
    .refine((all) => Object.keys(all).length <= DEPLOYMENTS_MAX, `Must name at most ${DEPLOYMENTS_MAX} deployments`)
    .meta({ description: 'By alias, the deployment in the account that serves it.', maxProperties: DEPLOYMENTS_MAX }),
  credential,
})
export type OwnAccount = z.infer<typeof ownAccountInput>
