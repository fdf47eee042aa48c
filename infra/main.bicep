// Everything that the platform is on Azure: `azd up` makes it (docs/deployment.md).
//
// A preset gives every value; parameters of the kind "preset | on | off" set single ones otherwise. Modules under
// modules/ are one concern each and use nothing from a registry.

targetScope = 'subscription'

@description('Name of the environment: begins the names of resource groups and tags every resource.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of the app, its storage and its vault.')
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Values for trying it out, or for tenants who rely on it (presets/).')
@allowed(['dev', 'production'])
param preset string = 'dev'

@description('Private endpoints for storage, vault and models, and none of them open to the internet.')
@allowed(['preset', 'on', 'off'])
param privateNetworking string = 'preset'

@description('Who reaches the platform: everybody, or those in its network or a network peered with it. Private takes private networking.')
@allowed(['public', 'private'])
param inbound string = 'public'

@description('Addresses of the private network; at least a /24.')
param networkPrefix string = '10.40.0.0/24'

@description('Storage and models encrypted with a key of one’s own in the vault. It cannot be turned off again for storage in use.')
@allowed(['preset', 'on', 'off'])
param customerManagedKeys string = 'preset'

@description('Azure’s built-in policies for AI services on all resource groups.')
@allowed(['preset', 'off', 'audit', 'deny'])
param policies string = 'preset'

@description('What keeps orchestrations: the storage account, or the Durable Task Scheduler.')
@allowed(['azure-storage', 'durable-task-scheduler'])
param durableStorage string = 'azure-storage'

@description('Region of the replica of tenants’ models and training data; empty for none.')
param recoveryLocation string = ''

@description('Model accounts and deployments by stamp, in place of the preset’s.')
param stamps array = []

@description('The month’s budget, in the subscription’s currency, in place of the preset’s; 0 takes the preset’s.')
@minValue(0)
param monthlyBudget int = 0

@description('The first of the month in which the budget began. Azure takes no other one later.')
param budgetStart string = utcNow('yyyy-MM-01')

@description('E-mail addresses of operators, separated by commas.')
param operatorEmails string = ''

@description('Where mail to tenants is kept.')
@allowed(['Australia', 'Europe', 'Switzerland', 'UK', 'United States'])
param mailDataLocation string = 'Europe'

@description('Makes the check characters of API keys; another one voids every key.')
@secure()
@minLength(32)
param keyPepper string

@description('SHA-256 of each operator token, separated by commas.')
param operatorTokenHashes string

@description('Where clients reach the platform, without a slash at the end; empty for the app’s own address.')
param publicUrl string = ''

@description('Client ids or App ID URIs that callers’ Entra tokens are made for, separated by commas; empty: none are taken.')
param entraAudiences string = ''

@description('Id of the directory whose people run the platform; empty for none.')
param platformDirectoryId string = ''

@description('Client id of the application by which tenants’ directories know the platform; empty for none.')
param applicationClientId string = ''

@description('Further settings of docs/configuration.md, by their names.')
param furtherSettings object = {}

var values = any(preset == 'production' ? loadJsonContent('presets/production.json') : loadJsonContent('presets/dev.json'))
var isPrivate = privateNetworking == 'preset' ? bool(values.privateNetworking) : privateNetworking == 'on'
var isInboundPrivate = isPrivate && inbound == 'private'
var hasOwnKey = customerManagedKeys == 'preset' ? bool(values.customerManagedKeys) : customerManagedKeys == 'on'
var policyEffect = policies == 'preset' ? string(values.policies) : policies
var hasRecovery = !empty(recoveryLocation)
var hasScheduler = durableStorage == 'durable-task-scheduler'
var stampList = empty(stamps) ? values.stamps : stamps

var tags = {
  'azd-env-name': environmentName
}
var token = uniqueString(subscription().id, environmentName, location)
var stampGroupNames = map(stampList, stamp => 'rg-${environmentName}-${stamp.name}')

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

resource stampGroups 'Microsoft.Resources/resourceGroups@2024-03-01' = [
  for (stamp, i) in stampList: {
    name: stampGroupNames[i]
    location: stamp.region
    tags: tags
  }
]

module appIdentity 'modules/identity.bicep' = {
  name: 'app-identity'
  scope: group
  params: {
    name: 'id-app-${token}'
    location: location
    tags: tags
  }
}

module encryptionIdentity 'modules/identity.bicep' = if (hasOwnKey) {
  name: 'encryption-identity'
  scope: group
  params: {
    name: 'id-encryption-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-${token}'
    componentName: 'appi-${token}'
    location: location
    tags: tags
    retentionDays: values.logRetentionDays
    dailyGbMax: values.logDailyGbMax
    appPrincipalId: appIdentity.outputs.principalId
  }
}

module actionGroup 'modules/action-group.bicep' = {
  name: 'action-group'
  scope: group
  params: {
    name: 'ag-${token}'
    tags: tags
    emails: operatorEmails
  }
}

module network 'modules/network.bicep' = if (isPrivate) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    addressPrefix: networkPrefix
    hasPrivateInbound: isInboundPrivate
  }
}

module vault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    softDeleteDays: values.softDeleteDays
    keyType: values.keyType
    keyRotationPeriod: values.keyRotationPeriod
    appPrincipalId: appIdentity.outputs.principalId
    encryptionPrincipalId: hasOwnKey ? encryptionIdentity!.outputs.principalId : ''
    keyPepper: keyPepper
    isPrivate: isPrivate
    endpointSubnetId: isPrivate ? network!.outputs.endpointSubnetId : ''
    vaultZoneId: isPrivate ? network!.outputs.vaultZoneId : ''
    workspaceId: monitoring.outputs.workspaceId
  }
}

module secretsVault 'modules/secrets-vault.bicep' = {
  name: 'secrets-vault'
  scope: group
  params: {
    name: 'kvs-${token}'
    location: location
    tags: tags
    appPrincipalId: appIdentity.outputs.principalId
    isPrivate: isPrivate
    endpointSubnetId: isPrivate ? network!.outputs.endpointSubnetId : ''
    vaultZoneId: isPrivate ? network!.outputs.vaultZoneId : ''
    workspaceId: monitoring.outputs.workspaceId
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    sku: values.storageSku
    holdsPackage: true
    appPrincipalId: appIdentity.outputs.principalId
    isPrivate: isPrivate
    networkLocation: location
    endpointSubnetId: isPrivate ? network!.outputs.endpointSubnetId : ''
    blobZoneId: isPrivate ? network!.outputs.blobZoneId : ''
    queueZoneId: isPrivate ? network!.outputs.queueZoneId : ''
    tableZoneId: isPrivate ? network!.outputs.tableZoneId : ''
    encryptionIdentityId: hasOwnKey ? encryptionIdentity!.outputs.id : ''
    encryptionKeyName: vault.outputs.encryptionKeyName
    encryptionVaultUri: vault.outputs.uri
    workspaceId: monitoring.outputs.workspaceId
  }
}

module recoveryStorage 'modules/storage.bicep' = if (hasRecovery) {
  name: 'recovery-storage'
  scope: group
  params: {
    name: 'str${token}'
    location: recoveryLocation
    tags: tags
    sku: values.storageSku
    holdsPackage: false
    appPrincipalId: appIdentity.outputs.principalId
    isPrivate: isPrivate
    networkLocation: location
    endpointSubnetId: isPrivate ? network!.outputs.endpointSubnetId : ''
    blobZoneId: isPrivate ? network!.outputs.blobZoneId : ''
    queueZoneId: isPrivate ? network!.outputs.queueZoneId : ''
    tableZoneId: isPrivate ? network!.outputs.tableZoneId : ''
    encryptionIdentityId: hasOwnKey ? encryptionIdentity!.outputs.id : ''
    encryptionKeyName: vault.outputs.encryptionKeyName
    encryptionVaultUri: vault.outputs.uri
    workspaceId: monitoring.outputs.workspaceId
  }
}

module scheduler 'modules/durable-task.bicep' = if (hasScheduler) {
  name: 'durable-task'
  scope: group
  params: {
    name: 'dts-${token}'
    location: location
    tags: tags
    hubName: 'tenantry'
    sku: values.durableTaskSku
    capacity: values.durableTaskCapacity
    appPrincipalId: appIdentity.outputs.principalId
    appClientId: appIdentity.outputs.clientId
  }
}

module communication 'modules/communication.bicep' = if (values.communication) {
  name: 'communication'
  scope: group
  params: {
    name: 'acs-${token}'
    dataLocation: mailDataLocation
    tags: tags
    appPrincipalId: appIdentity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module eventGrid 'modules/event-grid.bicep' = if (values.eventGrid) {
  name: 'event-grid'
  scope: group
  params: {
    name: 'evgt-${token}'
    location: location
    tags: tags
    appPrincipalId: appIdentity.outputs.principalId
    isPrivate: isPrivate
    endpointSubnetId: isPrivate ? network!.outputs.endpointSubnetId : ''
    eventGridZoneId: isPrivate ? network!.outputs.eventGridZoneId : ''
    workspaceId: monitoring.outputs.workspaceId
  }
}

module stampModules 'modules/stamp.bicep' = [
  for (stamp, i) in stampList: {
    name: 'stamp-${stamp.name}'
    scope: stampGroups[i]
    params: {
      name: stamp.name
      location: stamp.region
      tags: tags
      token: token
      accounts: stamp.accounts
      contentFilters: values.contentFilters
      hasContentSafety: values.contentSafety
      appPrincipalId: appIdentity.outputs.principalId
      isPrivate: isPrivate
      networkLocation: location
      endpointSubnetId: isPrivate ? network!.outputs.endpointSubnetId : ''
      cognitiveZoneIds: isPrivate ? network!.outputs.cognitiveZoneIds : []
      encryptionIdentityId: hasOwnKey ? encryptionIdentity!.outputs.id : ''
      encryptionIdentityClientId: hasOwnKey ? encryptionIdentity!.outputs.clientId : ''
      encryptionKeyName: vault.outputs.encryptionKeyName
      encryptionKeyVersion: vault.outputs.encryptionKeyVersion
      encryptionVaultUri: vault.outputs.uri
      workspaceId: monitoring.outputs.workspaceId
      actionGroupId: actionGroup.outputs.id
    }
  }
]

module purgeRole 'modules/purge-role.bicep' = {
  name: 'purge-role-${token}'
  params: {
    environmentName: environmentName
    appPrincipalId: appIdentity.outputs.principalId
  }
}

// After vault and storage, and so after the roles on them: an app that starts before its roles would not find its key.
module app 'modules/function-app.bicep' = {
  name: 'function-app'
  scope: group
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityId: appIdentity.outputs.id
    identityClientId: appIdentity.outputs.clientId
    storageName: storage.outputs.name
    packageUrl: storage.outputs.packageUrl
    componentName: monitoring.outputs.componentName
    instanceMemoryMb: values.instanceMemoryMb
    instancesMax: values.instancesMax
    httpInstancesReady: values.httpInstancesReady
    durableInstancesReady: values.durableInstancesReady
    callsPerInstance: values.callsPerInstance
    zoneRedundant: values.zoneRedundant
    appSubnetId: isPrivate ? network!.outputs.appSubnetId : ''
    isInboundPrivate: isInboundPrivate
    endpointSubnetId: isPrivate ? network!.outputs.endpointSubnetId : ''
    sitesZoneId: isPrivate ? network!.outputs.sitesZoneId : ''
    vaultUri: vault.outputs.uri
    secretsVaultUri: secretsVault.outputs.uri
    wrappingKeyName: vault.outputs.wrappingKeyName
    keyPepperReference: vault.outputs.keyPepperReference
    operatorTokenHashes: operatorTokenHashes
    publicUrl: publicUrl
    entraAudiences: entraAudiences
    platformDirectoryId: platformDirectoryId
    applicationClientId: applicationClientId
    applicationDirectoryId: tenant().tenantId
    recoveryRegion: recoveryLocation
    recoveryStorageName: hasRecovery ? recoveryStorage!.outputs.name : ''
    mailEndpoint: values.communication ? communication!.outputs.endpoint : ''
    mailSender: values.communication ? communication!.outputs.sender : ''
    eventGridTopicUrl: values.eventGrid ? eventGrid!.outputs.endpoint : ''
    durableTaskConnection: hasScheduler ? scheduler!.outputs.connection : ''
    furtherSettings: furtherSettings
    workspaceId: monitoring.outputs.workspaceId
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    prefix: environmentName
    location: location
    tags: tags
    componentId: monitoring.outputs.componentId
    workspaceId: monitoring.outputs.workspaceId
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
    publicUrl: app.outputs.url
    isInboundPublic: !isInboundPrivate
    actionGroupId: actionGroup.outputs.id
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    title: 'Tenantry: ${environmentName}'
    workspaceId: monitoring.outputs.workspaceId
  }
}

module budget 'modules/budget.bicep' = {
  name: 'budget-${token}'
  params: {
    name: 'tenantry-${environmentName}'
    amount: monthlyBudget > 0 ? monthlyBudget : values.monthlyBudget
    startDate: budgetStart
    resourceGroupNames: concat([group.name], stampGroupNames)
    actionGroupId: actionGroup.outputs.id
  }
}

module groupPolicies 'modules/policies.bicep' = if (policyEffect != 'off') {
  name: 'policies'
  scope: group
  params: {
    effect: policyEffect == 'deny' ? 'Deny' : 'Audit'
    isPrivate: isPrivate
    hasOwnKey: hasOwnKey
  }
}

module stampPolicies 'modules/policies.bicep' = [
  for (stamp, i) in stampList: if (policyEffect != 'off') {
    name: 'policies-${stamp.name}'
    scope: stampGroups[i]
    params: {
      effect: policyEffect == 'deny' ? 'Deny' : 'Audit'
      isPrivate: isPrivate
      hasOwnKey: hasOwnKey
    }
  }
]

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_TENANT_ID string = tenant().tenantId
output TENANTRY_URL string = app.outputs.url
output TENANTRY_APP_NAME string = app.outputs.name
output TENANTRY_IDENTITY_PRINCIPAL_ID string = appIdentity.outputs.principalId
output TENANTRY_KEY_VAULT_NAME string = vault.outputs.name
// As POST /api/platform/stamps takes them.
output TENANTRY_STAMPS array = [
  for (stamp, i) in stampList: {
    name: stamp.name
    region: stamp.region
    resourceGroupId: stampModules[i].outputs.resourceGroupId
    modelAccountIds: stampModules[i].outputs.modelAccountIds
  }
]
output TENANTRY_CONTENT_SAFETY_ENDPOINTS array = [
  for (stamp, i) in stampList: stampModules[i].outputs.contentSafetyEndpoint
]
output TENANTRY_MAIL_ENDPOINT string = values.communication ? communication!.outputs.endpoint : ''
output TENANTRY_MAIL_SENDER string = values.communication ? communication!.outputs.sender : ''
