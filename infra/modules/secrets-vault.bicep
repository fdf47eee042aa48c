// The vault of what can be had anew: keys that tenants hand over, and keys of model accounts that the platform rotates.
//
// Without purge protection, on purpose: a tenant's key is to be gone when its tenant is, and of what a protected vault deletes
// nothing goes before its retention is over. What must not be lost, the wrapping key, is in the other vault (key-vault.bicep).

@description('Name of the vault: 3 to 24 letters, digits and hyphens.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Object id of the identity of the app.')
param appPrincipalId string

@description('Whether the vault is reached through its private endpoint only.')
param isPrivate bool

@description('Resource id of the subnet of private endpoints; empty unless private.')
param endpointSubnetId string

@description('Resource id of the DNS zone; empty unless private.')
param vaultZoneId string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

var roles = loadJsonContent('../role-ids.json')

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    // Azure allows no less. What the app deletes it purges at once; this is for what a person deletes by mistake.
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

// The app writes, removes and purges them (src/azure/key-vault-secrets.ts).
resource appKeepsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appPrincipalId, roles.keyVaultSecretsOfficer)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

module endpoint 'private-endpoint.bicep' = if (isPrivate) {
  name: '${name}-vault'
  params: {
    name: '${name}-vault'
    location: location
    tags: tags
    subnetId: endpointSubnetId
    targetId: vault.id
    groupId: 'vault'
    zoneIds: [vaultZoneId]
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
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

output uri string = vault.properties.vaultUri
