/** Every setting of the app, in one file since it is one list: what the environment may say, and what the slices get of it. */
import { z } from 'zod'
import type { EntraSettings } from './access/entra-tokens'
import type { OperatorToken } from './access/operators'
import { platformRoles } from './access/permissions'
import type { ApplicationSettings } from './azure/identity'
import { BACKEND_KEY_SETTING } from './base/backend-key-setting'
import type { TelemetrySettings } from './telemetry/create-telemetry'

/** Everything that the app reads from its environment, once, at start. */
export interface Config {
  readonly storage:
    | { readonly kind: 'connection-string'; readonly connectionString: string }
    | { readonly kind: 'identity'; readonly blobUrl: string; readonly queueUrl: string; readonly tableUrl: string }
  /** Put in front of every table, container and queue name. */
  readonly storagePrefix: string
  /** The user-assigned identity of the app; undefined takes the environment's default. */
  readonly identityClientId: string | undefined
  /** Makes the check characters of API keys; changing it voids every key. */
  readonly keyPepper: string
  readonly operatorTokens: readonly OperatorToken[]
  /** Where directories give tokens, to us and to callers. */
  readonly authority: string
  /** The application by which other directories know the platform; undefined where it uses its own identity only. */
  readonly application: ApplicationSettings | undefined
  /** Azure Resource Manager, by which tenants' own models and storage are made. */
  readonly arm: { readonly url: string; readonly audience: string }
  /** Undefined where no Entra tokens are taken. */
  readonly entra: (EntraSettings & { readonly platformDirectoryId: string | undefined }) | undefined
  /** Where clients reach the platform, without a slash at the end; onboarding calls it, links name it. */
  readonly publicUrl: string
  /** What wraps tenants' data keys (I18). */
  readonly wrappingKey:
    | { readonly kind: 'key-file'; readonly file: string }
    | { readonly kind: 'key-vault'; readonly vaultUrl: string; readonly keyName: string }
  /** The Key Vault of the keys that tenants hand over and of those that are rotated; undefined: they are wrapped, in a table. */
  readonly secretsVaultUrl: string | undefined
  /** How long after a tenant’s freeze nothing of it is deleted yet. */
  readonly offboardingGraceMs: number
  /** How long calls may go on that began before their tenant's models were moved. */
  readonly movingDrainMs: number
  /** Batches: how often accounts are asked for them, and how many run at one deployment, in all and of one tenant. */
  readonly tuning: { readonly pollMs: number; readonly perAccountMax: number; readonly perTenantMax: number }
  /** Tuned models that nobody calls for so long sleep, unless their tenant says otherwise. */
  readonly hosting: { readonly idleMs: number }
  /** How often an instance writes down what it has counted of calls to tuned models. */
  readonly drift: { readonly flushMs: number }
  /** Shared models: what an objection leads to, how long calls may outlive a model, and an affected model its objection. */
  readonly sharedModels: {
    readonly retrain: 'start' | 'propose'
    readonly drainMs: number
    readonly affectedMsMax: number
  }
  /** The account in the paired region to which tenants' models and training data are replicated; undefined: they are not. */
  readonly recovery:
    | {
        readonly storage: Config['storage']
        readonly region: string
        /** What a tenant has deleted stays there for so long. */
        readonly goneKeptMs: number
        /** A replica that is further behind raises an alert. */
        readonly lagMsMax: number
      }
    | undefined
  /** By which ways notifications go out; nothing is needed for webhooks. */
  readonly notifications: {
    readonly mail: { readonly endpoint: string; readonly sender: string } | undefined
    readonly eventGridTopicUrl: string | undefined
    readonly webhookHostsOpen: readonly string[]
  }
  readonly batches: { readonly pollMs: number; readonly perDeploymentMax: number; readonly perTenantMax: number }
  /** Whereto traces and metrics go; undefined: nowhere. */
  readonly telemetry: TelemetrySettings | undefined
  /** How long an offboarded tenant's export can be fetched. */
  readonly exportValidMs: number
  /** The keys of model backends, by the setting's name, which is what a backend record names. */
  readonly backendKeys: Readonly<Record<string, string>>
}

const url = z.url({ protocol: /^https?$/, error: 'an http(s) URL' }).optional()

const OPERATOR_TOKENS = /^[0-9a-f]{64}(:(operator|support|auditor))?(,[0-9a-f]{64}(:(operator|support|auditor))?)*$/

/** Its key names the component only; it goes out in plain text on one machine alone. */
const INSIGHTS =
  /^(?=.*InstrumentationKey=[0-9a-f-]{36})(?!.*IngestionEndpoint=http:\/\/(?!(?:localhost|127\.0\.0\.1)[:/;]))/i

const OPEN_HOSTS = /^[A-Za-z0-9.-]+(:\d{1,5})?(,[A-Za-z0-9.-]+(:\d{1,5})?)*$/

const seconds = (least: number, most: number) => {
  const valid = `a number of seconds from ${least} to ${most}`
  return z.coerce.number({ error: valid }).min(least, valid).max(most, valid)
}

/** Each setting with what it means (docs/configuration.md is made of this). */
export const environment = z.object({
  AzureWebJobsStorage: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The storage account by a connection string: on one machine. On Azure the next settings name it, without a key.',
    ),
  AzureWebJobsStorage__accountName: z
    .string()
    .regex(/^[a-z0-9]{3,24}$/, 'a storage account name: 3 to 24 lower-case letters and digits')
    .optional()
    .describe('The storage account, reached by the app’s identity.'),
  AzureWebJobsStorage__blobServiceUri: url.describe('Address of its blobs, where the account’s name does not say it.'),
  AzureWebJobsStorage__queueServiceUri: url.describe('Address of its queues.'),
  AzureWebJobsStorage__tableServiceUri: url.describe('Address of its tables.'),
  AzureWebJobsStorage__clientId: z
    .string()
    .optional()
    .describe(
      'Client id of the app’s user-assigned identity, for all that it calls; without one, the environment’s default.',
    ),
  TENANTRY_STORAGE_PREFIX: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9]{0,19}$/, 'a letter, then up to 19 letters and digits')
    .default('tenantry')
    .describe('In front of every table, container and queue, so that installations can share an account.'),
  TENANTRY_WRAPPING_KEY_FILE: z
    .string()
    .optional()
    .describe(
      'A file with the key that wraps tenants’ data keys, on one machine; made if it is missing. By default .local/wrapping-key.json with a connection string.',
    ),
  TENANTRY_KEY_VAULT_URL: url.describe(
    'The Key Vault of the wrapping key; also of the keys that tenants hand over, unless the next setting names another.',
  ),
  TENANTRY_SECRETS_VAULT_URL: url.describe(
    'The Key Vault of the keys that tenants hand over and of those that the platform rotates. Without purge protection, so that they are gone when a tenant is.',
  ),
  TENANTRY_WRAPPING_KEY_NAME: z
    .string()
    .optional()
    .describe('The wrapping key in that vault: RSA of 2,048 bits or more.'),
  /** Below 30 another instance may still serve the tenant while it is deleted. */
  TENANTRY_OFFBOARDING_GRACE_SECONDS: seconds(0, 86_400)
    .default(60)
    .describe(
      'From a tenant’s freeze until the first of its data is deleted. Below 30 another instance may still serve it.',
    ),
  /** Below 1230 a stream that began before a move may outlive the deployment that serves it. */
  TENANTRY_MOVING_DRAIN_SECONDS: seconds(0, 86_400)
    .default(1_260)
    .describe(
      'How long calls may go on that began before their tenant’s models were moved. Below 1230 a stream may outlive its deployment.',
    ),
  /** Azure asks for a minute between two looks at a batch (azure-facts 4). */
  TENANTRY_BATCH_POLL_SECONDS: seconds(1, 3_600)
    .default(60)
    .describe('Between two looks at a batch at its account. Azure asks for a minute.'),
  TENANTRY_BATCHES_PER_DEPLOYMENT: z.coerce
    .number({ error: 'a whole number from 1 to 1000' })
    .int('a whole number from 1 to 1000')
    .min(1, 'a whole number from 1 to 1000')
    .max(1_000, 'a whole number from 1 to 1000')
    .default(20)
    .describe('Batches that run at a deployment at once.'),
  /** Of those of a deployment. */
  TENANTRY_BATCHES_PER_TENANT: z.coerce
    .number({ error: 'a whole number from 1 to 1000' })
    .int('a whole number from 1 to 1000')
    .min(1, 'a whole number from 1 to 1000')
    .max(1_000, 'a whole number from 1 to 1000')
    .default(5)
    .describe('How many of those are one tenant’s.'),
  TENANTRY_TUNING_POLL_SECONDS: seconds(1, 3_600)
    .default(60)
    .describe('Between two looks at a training at its account.'),
  /** As many train at once in an account of Azure (azure-facts 3.2). */
  TENANTRY_TUNING_JOBS_PER_ACCOUNT: z.coerce
    .number({ error: 'a whole number from 1 to 100' })
    .int('a whole number from 1 to 100')
    .min(1, 'a whole number from 1 to 100')
    .max(100, 'a whole number from 1 to 100')
    .default(3)
    .describe('Trainings in an account at once. Azure allows three.'),
  /** Of those of an account. */
  TENANTRY_TUNING_JOBS_PER_TENANT: z.coerce
    .number({ error: 'a whole number from 1 to 100' })
    .int('a whole number from 1 to 100')
    .min(1, 'a whole number from 1 to 100')
    .max(100, 'a whole number from 1 to 100')
    .default(2)
    .describe('How many of those are one tenant’s.'),
  /** Azure takes deployments of tuned models down by itself after 15 days. */
  TENANTRY_TUNED_IDLE_HOURS: z.coerce
    .number({ error: 'a number of hours from 1 to 336' })
    .min(1, 'a number of hours from 1 to 336')
    .max(336, 'a number of hours from 1 to 336')
    .default(72)
    .describe(
      'A tuned model that nobody calls for so long sleeps, unless its tenant says otherwise. Azure takes it down after 15 days.',
    ),
  /** What was counted since is lost with its instance. */
  TENANTRY_DRIFT_FLUSH_SECONDS: seconds(1, 3_600)
    .default(60)
    .describe(
      'How often an instance writes down what it has counted of calls to tuned models; the rest is lost with it.',
    ),
  /** Whether a tenant's objection has shared models trained anew without its examples, or proposes that to operators. */
  TENANTRY_SHARED_MODELS_RETRAIN: z
    .enum(['start', 'propose'], '"start" or "propose"')
    .default('start')
    .describe(
      'Whether a tenant’s objection has shared models trained anew without its examples, or proposes that to operators.',
    ),
  /** Below 1230 a stream that began before may outlive the deployment that serves it. */
  TENANTRY_SHARED_MODELS_DRAIN_SECONDS: seconds(0, 86_400)
    .default(1_260)
    .describe(
      'How long calls may go on that began before a shared model was taken down. Below 1230 a stream may outlive it.',
    ),
  TENANTRY_SHARED_MODELS_AFFECTED_DAYS: z.coerce
    .number({ error: 'a number of days from 1 to 90' })
    .min(1, 'a number of days from 1 to 90')
    .max(90, 'a number of days from 1 to 90')
    .default(30)
    .describe('How long a shared model may serve on after an objection of somebody in it.'),
  /** Where the account of the next settings is. */
  TENANTRY_RECOVERY_REGION: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, 'a region in lower case, such as "swedencentral"')
    .optional()
    .describe('Region of the replica of tenants’ models and training data; set together with its account.'),
  TENANTRY_RECOVERY_STORAGE: z
    .string()
    .min(1)
    .optional()
    .describe('The account of the replica by a connection string: on one machine.'),
  TENANTRY_RECOVERY_STORAGE__accountName: z
    .string()
    .regex(/^[a-z0-9]{3,24}$/, 'a storage account name: 3 to 24 lower-case letters and digits')
    .optional()
    .describe('The account of the replica, reached by the app’s identity.'),
  TENANTRY_RECOVERY_STORAGE__blobServiceUri: url.describe(
    'Address of its blobs, where the account’s name does not say it.',
  ),
  TENANTRY_RECOVERY_STORAGE__queueServiceUri: url.describe('Address of its queues.'),
  TENANTRY_RECOVERY_STORAGE__tableServiceUri: url.describe('Address of its tables.'),
  /** Of what a tenant has deleted, and of what was lost: as long as operators have to find out which it was. */
  TENANTRY_RECOVERY_DELETE_HOURS: z.coerce
    .number({ error: 'a number of hours from 0 to 720' })
    .min(0, 'a number of hours from 0 to 720')
    .max(720, 'a number of hours from 0 to 720')
    .default(72)
    .describe('How long the replica keeps what a tenant has deleted, or has lost.'),
  TENANTRY_RECOVERY_LAG_MINUTES: z.coerce
    .number({ error: 'a number of minutes from 5 to 1440' })
    .min(5, 'a number of minutes from 5 to 1440')
    .max(1_440, 'a number of minutes from 5 to 1440')
    .default(60)
    .describe('A replica further behind raises an alert.'),
  TENANTRY_EXPORT_VALID_HOURS: z.coerce
    .number({ error: 'a number of hours from 1 to 2160' })
    .min(1, 'a number of hours from 1 to 2160')
    .max(2_160, 'a number of hours from 1 to 2160')
    .default(168)
    .describe('How long an offboarded tenant’s export can be fetched.'),
  TENANTRY_MAIL_ENDPOINT: url.describe(
    'Azure Communication Services, by which mail is sent: `https://….communication.azure.com`. Set together with the sender.',
  ),
  TENANTRY_MAIL_SENDER: z
    .email('an e-mail address')
    .optional()
    .describe('Whom mail is from; of a domain of that service.'),
  TENANTRY_EVENT_GRID_TOPIC: url.describe(
    'An Event Grid topic with the CloudEvents schema, for operators’ subscriptions: `https://….eventgrid.azure.net/api/events`.',
  ),
  TENANTRY_WEBHOOK_HOSTS_OPEN: z
    .string()
    .regex(OPEN_HOSTS, 'hosts, each with its port behind a colon if it has one, separated by commas')
    .optional()
    .describe(
      'Hosts (`hooks.example.internal` or `10.0.0.5:8080`, separated by commas) that webhooks may go to though they are private or speak plain http.',
    ),
  APPLICATIONINSIGHTS_CONNECTION_STRING: z
    .string()
    .regex(INSIGHTS, 'the connection string of an Application Insights component, by https')
    .optional()
    .describe('Application Insights, for traces and metrics of the app; the Functions host sends its own there, too.'),
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: z
    .string()
    .optional()
    .describe('With `Authorization=AAD` they are sent with the app’s identity.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url.describe(
    'An OpenTelemetry collector that traces and metrics go to, by OTLP over HTTP in JSON: `http://localhost:4318`.',
  ),
  TENANTRY_TRACE_SAMPLE_RATIO: z.coerce
    .number({ error: 'a number from 0 to 1' })
    .min(0, 'a number from 0 to 1')
    .max(1, 'a number from 0 to 1')
    .default(0.1)
    .describe(
      'The share of traces that is kept of those that begin here; of what fails and of what callers trace, some are kept besides.',
    ),
  TENANTRY_PUBLIC_URL: url.describe('Where clients reach the platform; by default the host’s own address.'),
  /** Set by the Functions host. */
  WEBSITE_HOSTNAME: z.string().optional().describe('The host’s own address. The Functions host sets it.'),
  TENANTRY_KEY_PEPPER: z
    .string({ error: 'a secret of at least 32 characters' })
    .min(32, 'a secret of at least 32 characters')
    .describe('Makes the check characters of API keys. Another one voids every key.'),
  TENANTRY_OPERATOR_TOKEN_HASHES: z
    .string({ error: 'SHA-256 hashes in hex, separated by commas' })
    .regex(
      OPERATOR_TOKENS,
      'SHA-256 hashes in hex, separated by commas, each with its role behind a colon if it is not operator',
    )
    .describe('SHA-256 of operators’ tokens, separated by commas; “:support” or “:auditor” behind one narrows it.'),
  TENANTRY_ENTRA_AUTHORITY: url.describe('Where directories give tokens; by default the public cloud’s.'),
  TENANTRY_ARM_URL: url.describe('Azure Resource Manager; by default the public cloud’s.'),
  /** What tokens for ARM are made for, where that is not its address. */
  TENANTRY_ARM_AUDIENCE: url.describe('What tokens for Resource Manager are made for, where that is not its address.'),
  AZURE_TENANT_ID: z
    .guid('the id of the application’s directory')
    .optional()
    .describe('Directory of the application by which tenants’ directories know the platform.'),
  AZURE_CLIENT_ID: z
    .guid('the client id of an application')
    .optional()
    .describe('That application. Without a secret the app’s identity vouches for it.'),
  AZURE_CLIENT_SECRET: z.string().optional().describe('The application’s secret, where no identity can vouch for it.'),
  /** Client ids or App ID URIs, separated by commas. */
  TENANTRY_ENTRA_AUDIENCES: z
    .string()
    .optional()
    .describe(
      'Client ids or App ID URIs that callers’ Entra tokens are made for, separated by commas; without any, none are taken.',
    ),
  TENANTRY_PLATFORM_DIRECTORY: z
    .guid('the id of the directory whose people run the platform')
    .optional()
    .describe('Id of the directory whose people run the platform.'),
})

/** Throws one error that names every faulty variable and what would be valid. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = environment.safeParse(given)
  const faults = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')} must be ${message}`)
  const storage = parsed.success ? readStorage(parsed.data) : undefined
  if (parsed.success && !storage) {
    faults.push(
      'AzureWebJobsStorage must be a connection string, or AzureWebJobsStorage__accountName (or all three of ' +
        '__blobServiceUri, __queueServiceUri, __tableServiceUri) must name the account',
    )
  }
  if (parsed.success && parsed.data.AZURE_CLIENT_SECRET && !readApplication(parsed.data))
    faults.push('AZURE_CLIENT_ID and AZURE_TENANT_ID must say whose secret AZURE_CLIENT_SECRET is')
  const recoveryStorage = parsed.success ? readRecoveryStorage(parsed.data) : undefined
  if (parsed.success && (recoveryStorage === undefined) !== (parsed.data.TENANTRY_RECOVERY_REGION === undefined)) {
    faults.push(
      'TENANTRY_RECOVERY_REGION and TENANTRY_RECOVERY_STORAGE (a connection string), or TENANTRY_RECOVERY_STORAGE__accountName, ' +
        'must be set together: the account, and where it is',
    )
  }
  if (
    parsed.success &&
    (parsed.data.TENANTRY_MAIL_ENDPOINT === undefined) !== (parsed.data.TENANTRY_MAIL_SENDER === undefined)
  )
    faults.push('TENANTRY_MAIL_ENDPOINT and TENANTRY_MAIL_SENDER must be set together')
  const wrappingKey = parsed.success ? readWrappingKey(parsed.data) : undefined
  if (parsed.success && !wrappingKey) {
    faults.push(
      'TENANTRY_KEY_VAULT_URL and TENANTRY_WRAPPING_KEY_NAME must both name the key that wraps tenants’ data keys, or ' +
        'TENANTRY_WRAPPING_KEY_FILE a file on this machine; one of the two, not both',
    )
  }
  if (parsed.success && parsed.data.TENANTRY_SECRETS_VAULT_URL && wrappingKey?.kind !== 'key-vault')
    faults.push('TENANTRY_SECRETS_VAULT_URL is for installations whose wrapping key is in TENANTRY_KEY_VAULT_URL')
  if (!parsed.success || !storage || !wrappingKey || faults.length > 0)
    throw new Error(`The app's settings are not valid:\n- ${faults.join('\n- ')}`)

  const data = parsed.data
  return Object.freeze({
    storage,
    storagePrefix: data.TENANTRY_STORAGE_PREFIX,
    identityClientId: data.AzureWebJobsStorage__clientId,
    keyPepper: data.TENANTRY_KEY_PEPPER,
    operatorTokens: data.TENANTRY_OPERATOR_TOKEN_HASHES.split(',').map(readOperatorToken),
    authority: authorityOf(data),
    application: readApplication(data),
    arm: readArm(data),
    entra: readEntra(data),
    publicUrl: publicUrlOf(data),
    wrappingKey,
    secretsVaultUrl:
      wrappingKey.kind === 'key-vault' ? (data.TENANTRY_SECRETS_VAULT_URL ?? wrappingKey.vaultUrl) : undefined,
    offboardingGraceMs: data.TENANTRY_OFFBOARDING_GRACE_SECONDS * 1_000,
    movingDrainMs: data.TENANTRY_MOVING_DRAIN_SECONDS * 1_000,
    tuning: {
      pollMs: data.TENANTRY_TUNING_POLL_SECONDS * 1_000,
      perAccountMax: data.TENANTRY_TUNING_JOBS_PER_ACCOUNT,
      perTenantMax: data.TENANTRY_TUNING_JOBS_PER_TENANT,
    },
    drift: { flushMs: data.TENANTRY_DRIFT_FLUSH_SECONDS * 1_000 },
    sharedModels: {
      retrain: data.TENANTRY_SHARED_MODELS_RETRAIN,
      drainMs: data.TENANTRY_SHARED_MODELS_DRAIN_SECONDS * 1_000,
      affectedMsMax: data.TENANTRY_SHARED_MODELS_AFFECTED_DAYS * 86_400_000,
    },
    batches: {
      pollMs: data.TENANTRY_BATCH_POLL_SECONDS * 1_000,
      perDeploymentMax: data.TENANTRY_BATCHES_PER_DEPLOYMENT,
      perTenantMax: data.TENANTRY_BATCHES_PER_TENANT,
    },
    recovery:
      recoveryStorage && data.TENANTRY_RECOVERY_REGION !== undefined
        ? {
            storage: recoveryStorage,
            region: data.TENANTRY_RECOVERY_REGION,
            goneKeptMs: data.TENANTRY_RECOVERY_DELETE_HOURS * 3_600_000,
            lagMsMax: data.TENANTRY_RECOVERY_LAG_MINUTES * 60_000,
          }
        : undefined,
    notifications: readNotifications(data),
    telemetry: readTelemetry(data),
    hosting: { idleMs: data.TENANTRY_TUNED_IDLE_HOURS * 3_600_000 },
    exportValidMs: data.TENANTRY_EXPORT_VALID_HOURS * 3_600_000,
    backendKeys: Object.fromEntries(
      Object.entries(given).filter((pair): pair is [string, string] => BACKEND_KEY_SETTING.test(pair[0])),
    ),
  })
}

/** On one machine a file in the folder of the app's state, unless told otherwise. */
const KEY_FILE_DEFAULT = '.local/wrapping-key.json'

function readOperatorToken(text: string): OperatorToken {
  const [hash = '', name = 'operator'] = text.split(':')
  return { hash, role: platformRoles.find((role) => role === name) ?? 'auditor' }
}

const MICROSOFT_AUTHORITY = 'https://login.microsoftonline.com'
const PUBLIC_ARM = 'https://management.azure.com'

const authorityOf = ({ TENANTRY_ENTRA_AUTHORITY: given }: z.infer<typeof environment>) =>
  (given ?? MICROSOFT_AUTHORITY).replace(/\/+$/, '')

function readArm({ TENANTRY_ARM_URL, TENANTRY_ARM_AUDIENCE }: z.infer<typeof environment>): Config['arm'] {
  const url = (TENANTRY_ARM_URL ?? PUBLIC_ARM).replace(/\/+$/, '')
  return { url, audience: TENANTRY_ARM_AUDIENCE?.replace(/\/+$/, '') ?? url }
}

function readApplication(data: z.infer<typeof environment>): ApplicationSettings | undefined {
  const { AZURE_TENANT_ID: directoryId, AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: secret } = data
  return directoryId && clientId ? { directoryId, clientId, secret } : undefined
}

function readTelemetry(data: z.infer<typeof environment>): Config['telemetry'] {
  const { APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString, OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint } = data
  if (connectionString === undefined && otlpEndpoint === undefined) return undefined
  return {
    connectionString,
    byIdentity: /Authorization=AAD/i.test(data.APPLICATIONINSIGHTS_AUTHENTICATION_STRING ?? ''),
    otlpEndpoint,
    sampleRatio: data.TENANTRY_TRACE_SAMPLE_RATIO,
  }
}

function readNotifications(data: z.infer<typeof environment>): Config['notifications'] {
  const { TENANTRY_MAIL_ENDPOINT: endpoint, TENANTRY_MAIL_SENDER: sender } = data
  return {
    mail:
      endpoint !== undefined && sender !== undefined ? { endpoint: endpoint.replace(/\/+$/, ''), sender } : undefined,
    eventGridTopicUrl: data.TENANTRY_EVENT_GRID_TOPIC?.replace(/\/+$/, ''),
    webhookHostsOpen: data.TENANTRY_WEBHOOK_HOSTS_OPEN?.split(',') ?? [],
  }
}

function readEntra(data: z.infer<typeof environment>): Config['entra'] {
  const audiences = data.TENANTRY_ENTRA_AUDIENCES?.split(',').filter((audience) => audience !== '') ?? []
  if (audiences.length === 0) return undefined
  return {
    authority: authorityOf(data),
    audiences,
    platformDirectoryId: data.TENANTRY_PLATFORM_DIRECTORY?.toLowerCase(),
  }
}

function readWrappingKey(data: z.infer<typeof environment>): Config['wrappingKey'] | undefined {
  const {
    TENANTRY_WRAPPING_KEY_FILE: file,
    TENANTRY_KEY_VAULT_URL: vaultUrl,
    TENANTRY_WRAPPING_KEY_NAME: keyName,
  } = data
  if (vaultUrl || keyName) return vaultUrl && keyName && !file ? { kind: 'key-vault', vaultUrl, keyName } : undefined
  if (file) return { kind: 'key-file', file }
  // A file of its own on each of many machines would leave each unable to read what the others wrote.
  return data.AzureWebJobsStorage ? { kind: 'key-file', file: KEY_FILE_DEFAULT } : undefined
}

/** By default the address that the Functions host says it has. */
function publicUrlOf({ TENANTRY_PUBLIC_URL: given, WEBSITE_HOSTNAME: host }: z.infer<typeof environment>): string {
  if (given) return given.replace(/\/+$/, '')
  if (!host) return 'http://localhost:7071'
  return `${/^(localhost|127\.0\.0\.1)(:|$)/.test(host) ? 'http' : 'https'}://${host}`
}

const readStorage = (data: z.infer<typeof environment>) =>
  readAccount({
    connectionString: data.AzureWebJobsStorage,
    accountName: data.AzureWebJobsStorage__accountName,
    blobUrl: data.AzureWebJobsStorage__blobServiceUri,
    queueUrl: data.AzureWebJobsStorage__queueServiceUri,
    tableUrl: data.AzureWebJobsStorage__tableServiceUri,
  })

const readRecoveryStorage = (data: z.infer<typeof environment>) =>
  readAccount({
    connectionString: data.TENANTRY_RECOVERY_STORAGE,
    accountName: data.TENANTRY_RECOVERY_STORAGE__accountName,
    blobUrl: data.TENANTRY_RECOVERY_STORAGE__blobServiceUri,
    queueUrl: data.TENANTRY_RECOVERY_STORAGE__queueServiceUri,
    tableUrl: data.TENANTRY_RECOVERY_STORAGE__tableServiceUri,
  })

/** By a connection string, or by the account's name, any of whose addresses may be given in place of its usual one. */
function readAccount(
  given: Readonly<Record<'connectionString' | 'accountName' | 'blobUrl' | 'queueUrl' | 'tableUrl', string | undefined>>,
): Config['storage'] | undefined {
  const { connectionString, accountName } = given
  if (connectionString) return { kind: 'connection-string', connectionString }
  const urlOf = (service: string) => accountName && `https://${accountName}.${service}.core.windows.net`
  const blobUrl = given.blobUrl ?? urlOf('blob')
  const queueUrl = given.queueUrl ?? urlOf('queue')
  const tableUrl = given.tableUrl ?? urlOf('table')
  return blobUrl && queueUrl && tableUrl ? { kind: 'identity', blobUrl, queueUrl, tableUrl } : undefined
}
