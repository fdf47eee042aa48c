import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { environment, readConfig } from '../../src/config'
import { allOf, propertyOf, unquoted } from './bicep-file'
import { configurationPage } from './configuration-page'
import { readTemplates } from './templates'

const root = join(__dirname, '..', '..')
const read = Object.keys(environment.shape)

/** The Functions host's own: it reads them, the app does not. */
const ofTheHost = ['AzureWebJobsStorage__credential', 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING']

/** What the app reads and the templates leave alone, each for a reason. */
const notSet: Readonly<Record<string, readonly string[]>> = {
  'by keys, or with keys, on one machine only': [
    'AzureWebJobsStorage',
    'TENANTRY_RECOVERY_STORAGE',
    'TENANTRY_WRAPPING_KEY_FILE',
    'AZURE_CLIENT_SECRET',
  ],
  'the account’s name says it': [
    'AzureWebJobsStorage__blobServiceUri',
    'AzureWebJobsStorage__queueServiceUri',
    'AzureWebJobsStorage__tableServiceUri',
    'TENANTRY_RECOVERY_STORAGE__blobServiceUri',
    'TENANTRY_RECOVERY_STORAGE__queueServiceUri',
    'TENANTRY_RECOVERY_STORAGE__tableServiceUri',
  ],
  'the host sets it': ['WEBSITE_HOSTNAME'],
  'a default that installations change by furtherSettings': [
    'TENANTRY_STORAGE_PREFIX',
    'TENANTRY_ARM_AUDIENCE',
    'TENANTRY_OFFBOARDING_GRACE_SECONDS',
    'TENANTRY_MOVING_DRAIN_SECONDS',
    'TENANTRY_BATCH_POLL_SECONDS',
    'TENANTRY_BATCHES_PER_DEPLOYMENT',
    'TENANTRY_BATCHES_PER_TENANT',
    'TENANTRY_TUNING_POLL_SECONDS',
    'TENANTRY_TUNING_JOBS_PER_ACCOUNT',
    'TENANTRY_TUNING_JOBS_PER_TENANT',
    'TENANTRY_TUNED_IDLE_HOURS',
    'TENANTRY_DRIFT_FLUSH_SECONDS',
    'TENANTRY_SHARED_MODELS_RETRAIN',
    'TENANTRY_SHARED_MODELS_DRAIN_SECONDS',
    'TENANTRY_SHARED_MODELS_AFFECTED_DAYS',
    'TENANTRY_RECOVERY_DELETE_HOURS',
    'TENANTRY_RECOVERY_LAG_MINUTES',
    'TENANTRY_EXPORT_VALID_HOURS',
    'TENANTRY_WEBHOOK_HOSTS_OPEN',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
    'TENANTRY_TRACE_SAMPLE_RATIO',
  ],
}

/** The names in the lists that `appSettings` puts together, whatever condition they stand behind. */
async function settingsOfTheTemplate(): Promise<string[]> {
  const { templates } = await readTemplates()
  const file = templates.files.get('modules/function-app.bicep')
  const site = file?.resources.find(({ type }) => type === 'Microsoft.Web/sites')
  const list = propertyOf(site?.body, 'properties', 'siteConfig', 'appSettings')
  if (!file || !list) throw new Error('the app has no settings')
  const lists = allOf(list, 'identifier').map(({ text }) => text)
  const declarations = allOf(file.root, 'variable_declaration').filter((one) =>
    lists.includes(one.namedChild(0)?.text ?? ''),
  )
  return declarations.flatMap((declaration) =>
    allOf(declaration, 'object').flatMap((object) => {
      const name = propertyOf(object, 'name')
      return name?.type === 'string' ? [unquoted(name)] : []
    }),
  )
}

test('the settings that the templates set are those that the app reads, but for those named here', async () => {
  const set = await settingsOfTheTemplate()
  expect(new Set(set).size).toBe(set.length)
  expect(set).toEqual(expect.arrayContaining(ofTheHost))
  const forTheApp = set.filter((name) => !ofTheHost.includes(name))
  expect([...forTheApp, ...Object.values(notSet).flat()].toSorted()).toEqual(read.toSorted())
})

test('what is named here as not set is not needed to start', async () => {
  for (const name of Object.values(notSet).flat())
    expect(environment.shape[name as keyof typeof environment.shape].safeParse(undefined).success).toBe(true)
  const values: Record<string, string> = {
    AzureWebJobsStorage__accountName: 'sttenantry',
    AzureWebJobsStorage__clientId: '11111111-1111-4111-8111-111111111111',
    TENANTRY_KEY_VAULT_URL: 'https://kv.vault.azure.net/',
    TENANTRY_SECRETS_VAULT_URL: 'https://kvs.vault.azure.net/',
    TENANTRY_WRAPPING_KEY_NAME: 'tenant-data',
    TENANTRY_KEY_PEPPER: 'p'.repeat(96),
    TENANTRY_OPERATOR_TOKEN_HASHES: 'a'.repeat(64),
    TENANTRY_ARM_URL: 'https://management.azure.com/',
    TENANTRY_ENTRA_AUTHORITY: 'https://login.microsoftonline.com/',
    TENANTRY_PUBLIC_URL: '',
  }
  expect(await settingsOfTheTemplate()).toEqual(expect.arrayContaining(Object.keys(values)))
  expect(readConfig(values)).toMatchObject({
    storage: { kind: 'identity', blobUrl: 'https://sttenantry.blob.core.windows.net' },
    wrappingKey: { kind: 'key-vault', keyName: 'tenant-data', vaultUrl: 'https://kv.vault.azure.net/' },
    secretsVaultUrl: 'https://kvs.vault.azure.net/',
    arm: { url: 'https://management.azure.com' },
    authority: 'https://login.microsoftonline.com',
  })
})

test('what tenants hand over goes to the vault of the wrapping key where no other is named, and to none beside a key file', () => {
  const others = { TENANTRY_KEY_PEPPER: 'p'.repeat(96), TENANTRY_OPERATOR_TOKEN_HASHES: 'a'.repeat(64) }
  const storage = { AzureWebJobsStorage: 'UseDevelopmentStorage=true', ...others }
  const vault = { TENANTRY_KEY_VAULT_URL: 'https://kv.vault.azure.net', TENANTRY_WRAPPING_KEY_NAME: 'tenant-data' }
  expect(readConfig({ ...storage, ...vault }).secretsVaultUrl).toBe('https://kv.vault.azure.net')
  expect(readConfig(storage).secretsVaultUrl).toBeUndefined()
  const misplaced = { ...storage, TENANTRY_SECRETS_VAULT_URL: 'https://kvs.vault.azure.net' }
  expect(() => readConfig(misplaced)).toThrow('TENANTRY_SECRETS_VAULT_URL is for installations')
})

test('every setting is described', () => {
  expect(Object.entries(environment.shape).filter(([, schema]) => !schema.description)).toEqual([])
})

test('docs/configuration.md is what the schema says', () => {
  expect(readFileSync(join(root, 'docs', 'configuration.md'), 'utf8')).toBe(configurationPage())
})
