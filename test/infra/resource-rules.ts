import type { Node } from 'web-tree-sitter'
import { allOf, named, propertyOf, type Resource } from './bicep-file'
import type { Rule } from './templates'

/**
 * What may be made, by the api-version in which it is. All are versions of which Azure publishes types (Azure/bicep-types-az);
 * older ones than the newest, since every region has them.
 */
const apiVersions: Readonly<Record<string, string>> = {
  'Microsoft.Authorization/policyAssignments': '2022-06-01',
  'Microsoft.Authorization/roleAssignments': '2022-04-01',
  'Microsoft.Authorization/roleDefinitions': '2022-04-01',
  'Microsoft.CognitiveServices/accounts': '2025-06-01',
  'Microsoft.CognitiveServices/accounts/deployments': '2025-06-01',
  'Microsoft.CognitiveServices/accounts/raiPolicies': '2025-06-01',
  'Microsoft.Communication/communicationServices': '2025-09-01',
  'Microsoft.Communication/emailServices': '2025-09-01',
  'Microsoft.Communication/emailServices/domains': '2025-09-01',
  'Microsoft.Consumption/budgets': '2024-08-01',
  'Microsoft.DurableTask/schedulers': '2025-11-01',
  'Microsoft.DurableTask/schedulers/taskHubs': '2025-11-01',
  'Microsoft.EventGrid/topics': '2022-06-15',
  'Microsoft.Insights/actionGroups': '2023-01-01',
  'Microsoft.Insights/components': '2020-02-02',
  'Microsoft.Insights/diagnosticSettings': '2021-05-01-preview',
  'Microsoft.Insights/metricAlerts': '2018-03-01',
  'Microsoft.Insights/scheduledQueryRules': '2023-12-01',
  'Microsoft.Insights/webtests': '2022-06-15',
  'Microsoft.Insights/workbooks': '2023-06-01',
  'Microsoft.KeyVault/vaults': '2023-07-01',
  'Microsoft.KeyVault/vaults/keys': '2023-07-01',
  'Microsoft.KeyVault/vaults/secrets': '2023-07-01',
  'Microsoft.ManagedIdentity/userAssignedIdentities': '2023-01-31',
  'Microsoft.Network/networkSecurityGroups': '2024-05-01',
  'Microsoft.Network/privateDnsZones': '2024-06-01',
  'Microsoft.Network/privateDnsZones/virtualNetworkLinks': '2024-06-01',
  'Microsoft.Network/privateEndpoints': '2024-05-01',
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups': '2024-05-01',
  'Microsoft.Network/virtualNetworks': '2024-05-01',
  'Microsoft.OperationalInsights/workspaces': '2023-09-01',
  'Microsoft.Resources/resourceGroups': '2024-03-01',
  'Microsoft.Storage/storageAccounts': '2024-01-01',
  'Microsoft.Storage/storageAccounts/blobServices': '2024-01-01',
  'Microsoft.Storage/storageAccounts/blobServices/containers': '2024-01-01',
  'Microsoft.Storage/storageAccounts/queueServices': '2024-01-01',
  'Microsoft.Storage/storageAccounts/tableServices': '2024-01-01',
  'Microsoft.Web/serverfarms': '2024-11-01',
  'Microsoft.Web/sites': '2024-11-01',
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': '2024-11-01',
}

/** Those that Azure keeps no tags of. */
const untagged = new Set([
  'Microsoft.Authorization/policyAssignments',
  'Microsoft.Authorization/roleAssignments',
  'Microsoft.Authorization/roleDefinitions',
  'Microsoft.Consumption/budgets',
  'Microsoft.DurableTask/schedulers/taskHubs',
  'Microsoft.Insights/diagnosticSettings',
  'Microsoft.Network/privateEndpoints/privateDnsZoneGroups',
  'Microsoft.Storage/storageAccounts/blobServices',
  'Microsoft.Storage/storageAccounts/blobServices/containers',
  'Microsoft.Storage/storageAccounts/queueServices',
  'Microsoft.Storage/storageAccounts/tableServices',
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies',
])

export const resourceTypesAreKnown: Rule = (templates) =>
  eachResource(templates, ({ type, apiVersion }) => {
    const known = apiVersions[type]
    if (known === undefined) return [`${type} is not on the list`]
    return known === apiVersion ? [] : [`${type} is in ${apiVersion}, not in ${known}`]
  })

export const everyResourceIsTagged: Rule = (templates) =>
  eachResource(templates, ({ type, isExisting, body }) => {
    if (isExisting || untagged.has(type)) return []
    const tags = propertyOf(body, 'tags')?.text ?? ''
    return /^tags$|^union\(tags, /.test(tags) ? [] : ['does not have the tags of the environment']
  })

export const everyParameterIsDescribed: Rule = ({ files }) =>
  [...files.values()].flatMap(({ path, parameters }) =>
    parameters
      .filter(({ decorators }) => !decorators.some((one) => /^description\('.{5,}'\)$/.test(one)))
      .map(({ name }) => `${path}: ${name} has no description`),
  )

/** Deployments, and whatever else an account takes only one of at a time, are made one after another. */
export const accountsChangeOnceAtATime: Rule = (templates) =>
  eachResource(templates, ({ type, isLoop, decorators }) =>
    /^Microsoft\.CognitiveServices\/accounts\/./.test(type) && isLoop && !decorators.includes('batchSize(1)')
      ? ['is made all at once']
      : [],
  )

/** What each kind of resource must say, by the path of the property. */
const mustSay: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'Microsoft.Storage/storageAccounts': {
    'properties.allowSharedKeyAccess': 'false',
    'properties.allowBlobPublicAccess': 'false',
    'properties.minimumTlsVersion': "'TLS1_2'",
    'properties.publicNetworkAccess': "isPrivate ? 'Disabled' : 'Enabled'",
  },
  'Microsoft.KeyVault/vaults': {
    'properties.enableRbacAuthorization': 'true',
    'properties.enableSoftDelete': 'true',
    'properties.publicNetworkAccess': "isPrivate ? 'Disabled' : 'Enabled'",
  },
  'Microsoft.EventGrid/topics': {
    'properties.disableLocalAuth': 'true',
    'properties.publicNetworkAccess': "isPrivate ? 'Disabled' : 'Enabled'",
  },
  'Microsoft.KeyVault/vaults/keys': { 'properties.rotationPolicy': 'rotation' },
  'Microsoft.CognitiveServices/accounts': {
    'properties.disableLocalAuth': 'true',
    'properties.restrictOutboundNetworkAccess': 'true',
    'properties.publicNetworkAccess': "isPrivate ? 'Disabled' : 'Enabled'",
  },
  'Microsoft.Communication/communicationServices': { 'properties.disableLocalAuth': 'true' },
  'Microsoft.Insights/components': { 'properties.DisableLocalAuth': 'true' },
  'Microsoft.OperationalInsights/workspaces': { 'properties.features.disableLocalAuth': 'true' },
  'Microsoft.Web/sites': {
    'properties.httpsOnly': 'true',
    'properties.functionAppConfig.deployment.storage.authentication.type': "'UserAssignedIdentity'",
    'properties.siteConfig.minTlsVersion': "'1.2'",
  },
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': { 'properties.allow': 'false' },
}

export const nothingOpensByAKey: Rule = (templates) =>
  eachResource(templates, ({ type, isExisting, body }) =>
    isExisting
      ? []
      : Object.entries(mustSay[type] ?? {})
          .filter(([path, value]) => propertyOf(body, ...path.split('.'))?.text !== value)
          .map(([path, value]) => `does not say ${path}: ${value}`),
  )

/** A key that wraps others' data cannot be purged; what tenants hand over must be able to be, and no key lies beside it. */
export const keysLieWhereNothingIsPurged: Rule = ({ files }) =>
  [...files.values()].flatMap(({ path, resources }) =>
    resources
      .filter(({ type, isExisting }) => type === 'Microsoft.KeyVault/vaults' && !isExisting)
      .flatMap(({ symbol, body }) => {
        const holdsKeys = resources.some(
          (other) =>
            other.type === 'Microsoft.KeyVault/vaults/keys' && propertyOf(other.body, 'parent')?.text === symbol,
        )
        const said = propertyOf(body, 'properties', 'enablePurgeProtection')?.text
        if (said === (holdsKeys ? 'true' : undefined)) return []
        return [
          `${path}: ${symbol} ${holdsKeys ? 'holds keys that can be purged' : 'holds secrets that cannot be purged'}`,
        ]
      }),
  )

/** Functions of Bicep, and words in property names, by which keys and passwords come out. */
const SECRET_CALL = /^list[A-Z]\w*$|^listKeys$|^getSecret$/
const SECRET_WORD = /(?:accountKey|primaryKey|connectionString|password|sharedKey|sasToken|instrumentationKey)$/i
/** Long runs of letters with digits among them, as keys and tokens are and no name is. */
const KEY_LIKE = /(?=(?:[A-Za-z+/]*\d){2})[A-Za-z0-9+/]{40,}|\b(?:AccountKey|SharedAccessKey|sig)=/

/** No call that fetches a key, no output that carries one, none written down, and none taken in but as a secure parameter. */
export const noSecretIsShown: Rule = ({ files }) =>
  [...files.values()].flatMap(({ path, root, outputs, parameters }) => [
    ...allOf(root, 'call_expression')
      .map((call) => named(call)[0]?.text ?? '')
      .filter((name) => SECRET_CALL.test(name.split('.').at(-1) ?? ''))
      .map((name) => `${path}: ${name} fetches a key`),
    ...outputs.flatMap(({ name, value }) =>
      readsSecret(
        value,
        parameters.filter(isSecure).map((parameter) => parameter.name),
      )
        ? [`${path}: the output ${name} shows a secret`]
        : [],
    ),
    ...allOf(root, 'string_content')
      .filter(({ text }) => KEY_LIKE.test(text))
      .map(({ text }) => `${path}: "${text.slice(0, 8)}…" looks like a key`),
    ...parameters
      .filter((one) => /pepper$|secret$|password$|token$/i.test(one.name) && one.name !== 'token' && !isSecure(one))
      .map(({ name }) => `${path}: ${name} is a secret and not @secure()`),
    ...parameters
      .filter((one) => isSecure(one) && one.hasDefault)
      .map(({ name }) => `${path}: ${name} is a secret with a default`),
  ])

const isSecure = ({ decorators }: { decorators: readonly string[] }) => decorators.includes('secure()')

const readsSecret = (value: Node, secure: readonly string[]) =>
  allOf(value, 'property_identifier').some(({ text }) => SECRET_WORD.test(text)) ||
  allOf(value, 'identifier').some(({ text }) => secure.includes(text))

function eachResource({ files }: Parameters<Rule>[0], check: (resource: Resource) => string[]): string[] {
  return [...files.values()].flatMap(({ path, resources }) =>
    resources.flatMap((resource) => check(resource).map((fault) => `${path}: ${resource.symbol} ${fault}`)),
  )
}
