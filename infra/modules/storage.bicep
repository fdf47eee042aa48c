// One storage account of the app: records, logs and content of tenants, and what Durable Functions keeps.
//
// Of tables, containers and queues only the container of the app's package is made here, since a deployment needs it before
// the app has run. All others are the app's: it makes what is missing at every start (src/storage-needs.ts), so that they
// are the same on Azure and on one machine, and no list of them here can grow stale.

@description('Name of the account: 3 to 24 lower-case letters and digits.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Copies in one place, in three zones, or in the paired region as well.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param sku string

@description('Whether the account holds the package from which the app starts.')
param holdsPackage bool

@description('Object id of the identity of the app.')
param appPrincipalId string

@description('Whether the account is reached through private endpoints only.')
param isPrivate bool

@description('Region of the network; ignored unless private.')
param networkLocation string

@description('Resource id of the subnet of private endpoints; empty unless private.')
param endpointSubnetId string

@description('Resource id of the DNS zone of blobs; empty unless private.')
param blobZoneId string

@description('Resource id of the DNS zone of queues; empty unless private.')
param queueZoneId string

@description('Resource id of the DNS zone of tables; empty unless private.')
param tableZoneId string

@description('Resource id of the identity that reads the encryption key; empty for keys of Microsoft.')
param encryptionIdentityId string

@description('Name of the encryption key in the vault; empty for keys of Microsoft.')
param encryptionKeyName string

@description('Address of the vault of the encryption key; empty for keys of Microsoft.')
param encryptionVaultUri string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

var roles = loadJsonContent('../role-ids.json')
var hasOwnKey = !empty(encryptionKeyName)
var packageContainer = 'app-package'

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  kind: 'StorageV2'
  tags: tags
  sku: {
    name: sku
  }
  identity: hasOwnKey
    ? {
        type: 'UserAssigned'
        userAssignedIdentities: {
          '${encryptionIdentityId}': {}
        }
      }
    : null
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
    encryption: {
      keySource: hasOwnKey ? 'Microsoft.Keyvault' : 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      identity: hasOwnKey
        ? {
            userAssignedIdentity: encryptionIdentityId
          }
        : null
      // Without a version: the account follows the key when it is rotated.
      keyvaultproperties: hasOwnKey
        ? {
            keyname: encryptionKeyName
            keyvaulturi: encryptionVaultUri
          }
        : null
      // Tables and queues under the account's key from the start: it cannot be chosen later, a key of one's own can.
      services: {
        blob: {
          enabled: true
          keyType: 'Account'
        }
        file: {
          enabled: true
          keyType: 'Account'
        }
        queue: {
          enabled: true
          keyType: 'Account'
        }
        table: {
          enabled: true
          keyType: 'Account'
        }
      }
    }
  }
}

// Nothing is kept of what was deleted: a tenant's offboarding is certified, and files on their way to a model account are
// the one content that is not sealed under the tenant's key.
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: false
    }
    containerDeleteRetentionPolicy: {
      enabled: false
    }
    isVersioningEnabled: false
  }
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: account
  name: 'default'
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = if (holdsPackage) {
  parent: blobs
  name: packageContainer
  properties: {
    publicAccess: 'None'
  }
}

// Owner, since the Functions host takes leases of its own and links to blobs are signed in the identity's name.
resource appOwnsBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, roles.storageBlobDataOwner)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataOwner)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource appWritesQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, roles.storageQueueDataContributor)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageQueueDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource appWritesTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, roles.storageTableDataContributor)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageTableDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

module blobEndpoint 'private-endpoint.bicep' = if (isPrivate) {
  name: '${name}-blob'
  params: {
    name: '${name}-blob'
    location: networkLocation
    tags: tags
    subnetId: endpointSubnetId
    targetId: account.id
    groupId: 'blob'
    zoneIds: [blobZoneId]
  }
}

module queueEndpoint 'private-endpoint.bicep' = if (isPrivate) {
  name: '${name}-queue'
  params: {
    name: '${name}-queue'
    location: networkLocation
    tags: tags
    subnetId: endpointSubnetId
    targetId: account.id
    groupId: 'queue'
    zoneIds: [queueZoneId]
  }
}

module tableEndpoint 'private-endpoint.bicep' = if (isPrivate) {
  name: '${name}-table'
  params: {
    name: '${name}-table'
    location: networkLocation
    tags: tags
    subnetId: endpointSubnetId
    targetId: account.id
    groupId: 'table'
    zoneIds: [tableZoneId]
  }
}

// Reads are every call's own business and in the usage log; what is written and deleted is kept for those who ask later.
resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: queues
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: tables
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

output id string = account.id
output name string = account.name
output packageUrl string = holdsPackage ? '${account.properties.primaryEndpoints.blob}${packageContainer}' : ''
