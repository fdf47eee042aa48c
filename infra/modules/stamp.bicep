// A stamp: the shared model accounts of a region, and the resource group in which the platform makes what tenants have for
// themselves. Used once per stamp; operators then tell the platform of it (POST /api/platform/stamps, docs/isolation.md).

@description('Name of the stamp.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Makes names unique in all of Azure.')
param token string

@description('Model accounts: name, deployments (model-account.bicep); optional location, allowedFqdns.')
param accounts array

@description('Content filters that deployments may name.')
param contentFilters array

@description('Whether Content Safety is there.')
param hasContentSafety bool

@description('Object id of the identity of the app.')
param appPrincipalId string

@description('Whether accounts are reached through private endpoints only.')
param isPrivate bool

@description('Region of the network; ignored unless private.')
param networkLocation string

@description('Resource id of the subnet of private endpoints; empty unless private.')
param endpointSubnetId string

@description('Resource ids of the DNS zones; empty unless private.')
param cognitiveZoneIds array

@description('Resource id of the identity that reads the encryption key; empty for keys of Microsoft.')
param encryptionIdentityId string

@description('Client id of that identity.')
param encryptionIdentityClientId string

@description('Name of the encryption key in the vault; empty for keys of Microsoft.')
param encryptionKeyName string

@description('Version of the encryption key.')
param encryptionKeyVersion string

@description('Address of the vault of the encryption key; empty for keys of Microsoft.')
param encryptionVaultUri string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the action group.')
param actionGroupId string

var roles = loadJsonContent('../role-ids.json')

// What the platform may hand on, and to nobody but itself (src/provisioning/role-assignments.ts).
var handedOn = join(
  [
    roles.cognitiveServicesOpenAiUser
    roles.cognitiveServicesOpenAiContributor
    roles.storageBlobDataContributor
    roles.storageQueueDataContributor
    roles.storageTableDataContributor
  ],
  ', '
)
var assigned = 'Microsoft.Authorization/roleAssignments'
var ownRolesOnly = '((!(ActionMatches{\'${assigned}/write\'})) OR (@Request[${assigned}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${handedOn}} AND @Request[${assigned}:PrincipalId] ForAnyOfAnyValues:GuidEquals {${appPrincipalId}})) AND ((!(ActionMatches{\'${assigned}/delete\'})) OR (@Resource[${assigned}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${handedOn}} AND @Resource[${assigned}:PrincipalId] ForAnyOfAnyValues:GuidEquals {${appPrincipalId}}))'

module models 'model-account.bicep' = [
  for account in accounts: {
    name: 'models-${account.name}'
    params: {
      name: 'oai-${name}-${account.name}-${token}'
      location: account.?location ?? location
      tags: tags
      deployments: account.deployments
      allowedFqdns: account.?allowedFqdns ?? []
      contentFilters: contentFilters
      appPrincipalId: appPrincipalId
      isPrivate: isPrivate
      networkLocation: networkLocation
      endpointSubnetId: endpointSubnetId
      cognitiveZoneIds: cognitiveZoneIds
      encryptionIdentityId: encryptionIdentityId
      encryptionIdentityClientId: encryptionIdentityClientId
      encryptionKeyName: encryptionKeyName
      encryptionKeyVersion: encryptionKeyVersion
      encryptionVaultUri: encryptionVaultUri
      workspaceId: workspaceId
      actionGroupId: actionGroupId
    }
  }
]

module safety 'content-safety.bicep' = if (hasContentSafety) {
  name: 'content-safety'
  params: {
    name: 'safety-${name}-${token}'
    location: location
    tags: tags
    appPrincipalId: appPrincipalId
    isPrivate: isPrivate
    networkLocation: networkLocation
    endpointSubnetId: endpointSubnetId
    cognitiveZoneIds: cognitiveZoneIds
    workspaceId: workspaceId
  }
}

// Accounts and deployments of tenants' own.
resource appMakesModels 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, appPrincipalId, roles.cognitiveServicesContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.cognitiveServicesContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// Storage accounts of tenants' own.
resource appMakesStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, appPrincipalId, roles.storageAccountContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageAccountContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// Its own roles on what it makes, and no others.
resource appTakesItsRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, appPrincipalId, roles.roleBasedAccessControlAdministrator)
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.roleBasedAccessControlAdministrator
    )
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    condition: ownRolesOnly
    conditionVersion: '2.0'
  }
}

output resourceGroupId string = resourceGroup().id
output modelAccountIds array = [for (account, i) in accounts: models[i].outputs.id]
output contentSafetyEndpoint string = hasContentSafety ? safety!.outputs.endpoint : ''
