// The app on Flex Consumption. Its settings are those that src/config.ts reads, and the few that are the Functions host's
// (test/infra/settings.test.ts holds them together).

@description('Name of the app; also of its address, so unique in all of Azure.')
param name string

@description('Name of the plan.')
param planName string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the identity of the app.')
param identityId string

@description('Client id of the identity of the app.')
param identityClientId string

@description('Name of the storage account of the app.')
param storageName string

@description('Address of the container of the package.')
param packageUrl string

@description('Name of the Application Insights component.')
param componentName string

@description('Memory of an instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMb int

@description('The most instances of each group of functions.')
@minValue(40)
@maxValue(1000)
param instancesMax int

@description('Instances for HTTP that are always there.')
@minValue(0)
param httpInstancesReady int

@description('Instances for orchestrations that are always there.')
@minValue(0)
param durableInstancesReady int

@description('Calls at once on an instance; the next one starts another instance.')
@minValue(1)
@maxValue(1000)
param callsPerInstance int

@description('Spread over the zones of the region; takes two or more of each kind that is always there.')
param zoneRedundant bool

@description('Resource id of the subnet through which the app goes out; empty for none.')
param appSubnetId string

@description('Whether clients come through a private endpoint only.')
param isInboundPrivate bool

@description('Resource id of the subnet of private endpoints; empty unless inbound is private.')
param endpointSubnetId string

@description('Resource id of the DNS zone of the app; empty unless inbound is private.')
param sitesZoneId string

@description('Address of the Key Vault.')
param vaultUri string

@description('Address of the Key Vault of what tenants hand over.')
param secretsVaultUri string

@description('Name of the key that wraps tenants’ data keys.')
param wrappingKeyName string

@description('A Key Vault reference to what makes the check characters of API keys.')
param keyPepperReference string

@description('SHA-256 of each operator token, separated by commas.')
param operatorTokenHashes string

@description('Where clients reach the platform; empty for the app’s own address.')
param publicUrl string

@description('Client ids or App ID URIs that callers’ Entra tokens are made for, separated by commas; empty: none are taken.')
param entraAudiences string

@description('Id of the directory whose people run the platform; empty for none.')
param platformDirectoryId string

@description('Client id of the application by which tenants’ directories know the platform; empty for none.')
param applicationClientId string

@description('Id of that application’s directory.')
param applicationDirectoryId string

@description('Region of the replica of tenants’ models; empty for none.')
param recoveryRegion string

@description('Name of the storage account of the replica; empty for none.')
param recoveryStorageName string

@description('Address of the communication service by which mail is sent; empty for none.')
param mailEndpoint string

@description('Whom mail is from; empty for none.')
param mailSender string

@description('Address of the Event Grid topic for notifications; empty for none.')
param eventGridTopicUrl string

@description('What connects to the Durable Task Scheduler; empty for Azure Storage.')
param durableTaskConnection string

@description('Further settings of docs/configuration.md, by their names.')
param furtherSettings object

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

var hasApplication = !empty(applicationClientId)
var hasRecovery = !empty(recoveryStorageName)

var hostSettings = [
  { name: 'AzureWebJobsStorage__accountName', value: storageName }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: component.properties.ConnectionString }
  { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${identityClientId};Authorization=AAD' }
]
var platformSettings = [
  { name: 'TENANTRY_KEY_VAULT_URL', value: vaultUri }
  { name: 'TENANTRY_SECRETS_VAULT_URL', value: secretsVaultUri }
  { name: 'TENANTRY_WRAPPING_KEY_NAME', value: wrappingKeyName }
  { name: 'TENANTRY_KEY_PEPPER', value: keyPepperReference }
  { name: 'TENANTRY_OPERATOR_TOKEN_HASHES', value: operatorTokenHashes }
  { name: 'TENANTRY_ARM_URL', value: environment().resourceManager }
  { name: 'TENANTRY_ENTRA_AUTHORITY', value: environment().authentication.loginEndpoint }
]
var urlSettings = empty(publicUrl) ? [] : [{ name: 'TENANTRY_PUBLIC_URL', value: publicUrl }]
var audienceSettings = empty(entraAudiences) ? [] : [{ name: 'TENANTRY_ENTRA_AUDIENCES', value: entraAudiences }]
var directorySettings = empty(platformDirectoryId)
  ? []
  : [{ name: 'TENANTRY_PLATFORM_DIRECTORY', value: platformDirectoryId }]
// No secret: the app's identity vouches for the application (workload identity federation).
var applicationSettings = hasApplication
  ? [
      { name: 'AZURE_CLIENT_ID', value: applicationClientId }
      { name: 'AZURE_TENANT_ID', value: applicationDirectoryId }
    ]
  : []
var recoverySettings = hasRecovery
  ? [
      { name: 'TENANTRY_RECOVERY_REGION', value: recoveryRegion }
      { name: 'TENANTRY_RECOVERY_STORAGE__accountName', value: recoveryStorageName }
    ]
  : []
var mailSettings = empty(mailEndpoint)
  ? []
  : [
      { name: 'TENANTRY_MAIL_ENDPOINT', value: mailEndpoint }
      { name: 'TENANTRY_MAIL_SENDER', value: mailSender }
    ]
var eventSettings = empty(eventGridTopicUrl)
  ? []
  : [{ name: 'TENANTRY_EVENT_GRID_TOPIC', value: eventGridTopicUrl }]
var durableSettings = empty(durableTaskConnection)
  ? []
  : [{ name: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING', value: durableTaskConnection }]

var httpReady = httpInstancesReady > 0 ? [{ name: 'http', instanceCount: httpInstancesReady }] : []
var durableReady = durableInstancesReady > 0 ? [{ name: 'durable', instanceCount: durableInstancesReady }] : []

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  kind: 'functionapp'
  tags: tags
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  kind: 'functionapp,linux'
  tags: union(tags, { 'azd-service-name': 'api' })
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: isInboundPrivate ? 'Disabled' : 'Enabled'
    virtualNetworkSubnetId: empty(appSubnetId) ? null : appSubnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'node'
        version: '24'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMb
        maximumInstanceCount: instancesMax
        alwaysReady: concat(httpReady, durableReady)
        triggers: {
          http: {
            perInstanceConcurrency: callsPerInstance
          }
        }
      }
    }
    siteConfig: {
      http20Enabled: true
      minTlsVersion: '1.2'
      appSettings: concat(
        hostSettings,
        platformSettings,
        urlSettings,
        audienceSettings,
        directorySettings,
        applicationSettings,
        recoverySettings,
        mailSettings,
        eventSettings,
        durableSettings,
        map(items(furtherSettings), setting => { name: setting.key, value: setting.value })
      )
    }
  }
}

// Nobody deploys by a password.
resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

module endpoint 'private-endpoint.bicep' = if (isInboundPrivate) {
  name: '${name}-sites'
  params: {
    name: '${name}-sites'
    location: location
    tags: tags
    subnetId: endpointSubnetId
    targetId: app.id
    groupId: 'sites'
    zoneIds: [sitesZoneId]
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'FunctionAppLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

output id string = app.id
output name string = app.name
output url string = empty(publicUrl) ? 'https://${app.properties.defaultHostName}' : publicUrl
