import { z } from 'zod'
import { latencySchema } from '../latency-config'

/** What the simulator is when no other is named: the platform's subscription and its shared account. */
export const PLATFORM_SUBSCRIPTION = '00000000-0000-4000-8000-000000000001'
export const PLATFORM_GROUP = 'tenantry'
/** The account whose data plane is also at the simulator's root. */
export const ROOT_ACCOUNT = 'simulator'
/** A customer's own subscription, in the directory `contoso`. */
export const CUSTOMER_SUBSCRIPTION = '00000000-0000-4000-8000-000000000002'
export const CUSTOMER_ACCOUNT = 'contoso-owned'

const DELAY_MS_MAX = 600_000
const FAULTS_MAX = 32

export const deploymentSkus = [
  'Standard',
  'GlobalStandard',
  'DataZoneStandard',
  'ProvisionedManaged',
  'GlobalProvisionedManaged',
  'DataZoneProvisionedManaged',
  'GlobalBatch',
  'DataZoneBatch',
  'DeveloperTier',
] as const
export type DeploymentSku = (typeof deploymentSkus)[number]

const fault = z
  .strictObject({
    /** `answer` refuses a request; `operation` lets one begin that then ends badly. */
    kind: z.enum(['answer', 'operation']).default('answer'),
    method: z.enum(['GET', 'PUT', 'POST', 'DELETE']).optional(),
    /** Part of the path, in any case; absent meets every path. */
    path: z.string().optional(),
    status: z.int().min(400).max(599).default(429),
    code: z.string().default('TooManyRequests'),
    message: z.string().default('The request was refused because the simulator was told to.'),
    retryAfterSeconds: z.int().min(0).max(3_600).optional(),
    /** How many requests meet it. */
    next: z.int().min(0).default(1),
  })
  .refine(({ kind, method }) => kind === 'answer' || method === undefined || method === 'PUT', {
    path: ['method'],
    error: 'expected PUT: only what is made can end badly',
  })

const quota = z.strictObject({
  region: z.string().default('*'),
  model: z.string().default('*'),
  sku: z.string().default('*'),
  /** In the unit of the sku: thousands of tokens per minute, or provisioned units. */
  capacity: z.int().min(0),
})

const seedDeployment = z.strictObject({
  model: z.string().min(1),
  version: z.string().min(1),
  sku: z.enum(deploymentSkus).default('GlobalStandard'),
  capacity: z.int().min(1).default(100),
})

const seedAccount = z.strictObject({
  subscription: z.guid().default(PLATFORM_SUBSCRIPTION),
  resourceGroup: z.string().min(1).default(PLATFORM_GROUP),
  location: z.string().min(1).default('swedencentral'),
  disableLocalAuth: z.boolean().default(false),
  deployments: z.record(z.string().min(1), seedDeployment).default({}),
})

/** A role that is given from the start; `principal` is a directory's name and one of its users or applications. */
const seedRole = z.strictObject({
  scope: z.string().startsWith('/'),
  principal: z.string().regex(/^[^/]+\/[^/]+$/, 'expected directory/name'),
  role: z.string().min(1),
})

const rootAccountId = `/subscriptions/${PLATFORM_SUBSCRIPTION}/resourceGroups/${PLATFORM_GROUP}/providers/Microsoft.CognitiveServices/accounts/${ROOT_ACCOUNT}`
const customerAccountId = `/subscriptions/${CUSTOMER_SUBSCRIPTION}/resourceGroups/contoso/providers/Microsoft.CognitiveServices/accounts/${CUSTOMER_ACCOUNT}`

export const armSchema = z.strictObject({
  /** How long accounts, deployments and storage accounts take to be made or deleted. */
  delayMs: z.int().min(0).max(DELAY_MS_MAX).default(400),
  /** How long after it was given a role bites. */
  roleDelayMs: z.int().min(0).max(DELAY_MS_MAX).default(0),
  /** How long after it was regenerated an account's data plane takes the new key in place of the former one. */
  keyDelayMs: z.int().min(0).max(DELAY_MS_MAX).default(0),
  /** Of deployments that are made through ARM. */
  latency: latencySchema.prefault({}),
  /** The first that fits says how much one subscription may have of a model, sku and region; none fits: no bound. */
  quotas: z.array(quota).default([
    { region: '*', model: '*', sku: 'ProvisionedManaged', capacity: 500 },
    { region: '*', model: '*', sku: 'GlobalProvisionedManaged', capacity: 500 },
    { region: '*', model: '*', sku: 'DataZoneProvisionedManaged', capacity: 500 },
    { region: '*', model: '*', sku: '*', capacity: 1_000_000 },
  ]),
  /** Each of a directory, by name; with `resourceGroups` only those exist, otherwise every one that is asked for. */
  subscriptions: z
    .record(z.guid(), z.strictObject({ directory: z.string(), resourceGroups: z.array(z.string()).optional() }))
    .default({ [PLATFORM_SUBSCRIPTION]: { directory: 'platform' }, [CUSTOMER_SUBSCRIPTION]: { directory: 'contoso' } }),
  /** What there is before anything is made. Read at the first start and at a reset only. */
  accounts: z.record(z.string().min(2), seedAccount).prefault({
    [ROOT_ACCOUNT]: {},
    [CUSTOMER_ACCOUNT]: {
      subscription: CUSTOMER_SUBSCRIPTION,
      resourceGroup: 'contoso',
      deployments: {
        'contoso-chat': { model: 'gpt-4.1-mini', version: '2025-04-14', capacity: 10_000 },
        'contoso-embed': { model: 'text-embedding-3-small', version: '1', capacity: 10_000 },
      },
    },
  }),
  /** As `accounts`. */
  roleAssignments: z.array(seedRole).default([
    { scope: `/subscriptions/${PLATFORM_SUBSCRIPTION}`, principal: 'platform/tenantry', role: 'Owner' },
    { scope: rootAccountId, principal: 'platform/tenantry', role: 'Cognitive Services OpenAI User' },
    { scope: `/subscriptions/${CUSTOMER_SUBSCRIPTION}`, principal: 'contoso/ann', role: 'Owner' },
    { scope: customerAccountId, principal: 'contoso/tenantry', role: 'Cognitive Services OpenAI User' },
  ]),
  faults: z.array(fault).max(FAULTS_MAX).default([]),
})

export type ArmConfig = z.infer<typeof armSchema>
export type ArmFaultRule = ArmConfig['faults'][number]
