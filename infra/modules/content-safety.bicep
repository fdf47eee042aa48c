// Content Safety (Prompt Shields and text analysis) of one stamp.

@description('Name of the account, also its subdomain: unique in all of Azure.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Object id of the identity of the app.')
param appPrincipalId string

@description('Whether the account is reached through its private endpoint only.')
param isPrivate bool

@description('Region of the network; ignored unless private.')
param networkLocation string

@description('Resource id of the subnet of private endpoints; empty unless private.')
param endpointSubnetId string

@description('Resource ids of the DNS zones; empty unless private.')
param cognitiveZoneIds array

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

var roles = loadJsonContent('../role-ids.json')

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: name
  location: location
  kind: 'ContentSafety'
  tags: tags
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: name
    disableLocalAuth: true
    restrictOutboundNetworkAccess: true
    allowedFqdnList: []
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

resource appChecksContent 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, roles.cognitiveServicesUser)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.cognitiveServicesUser)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

module endpoint 'private-endpoint.bicep' = if (isPrivate) {
  name: '${name}-account'
  params: {
    name: '${name}-account'
    location: networkLocation
    tags: tags
    subnetId: endpointSubnetId
    targetId: account.id
    groupId: 'account'
    zoneIds: cognitiveZoneIds
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'Audit'
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

output endpoint string = account.properties.endpoint
