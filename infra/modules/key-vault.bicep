// The vault of what must not be lost: the key that wraps tenants' data keys, and the secret that makes keys' check characters.
//
// Purge protection stays on: whoever could purge the wrapping key could destroy every tenant's data. What tenants hand over has to
// be purged when they go, and so is in a vault of its own (secrets-vault.bicep).

@description('Name of the vault: 3 to 24 letters, digits and hyphens.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('How long deleted keys and secrets can be recovered. It cannot be changed once the vault is there.')
@minValue(7)
@maxValue(90)
param softDeleteDays int

@description('A key of hardware, or of software.')
@allowed(['RSA', 'RSA-HSM'])
param keyType string

@description('After how long the wrapping key gets a new version (ISO 8601). Old versions go on unwrapping.')
param keyRotationPeriod string

@description('Object id of the identity of the app.')
param appPrincipalId string

@description('Object id of the identity that encrypts storage and models; empty where Microsoft keeps the keys.')
param encryptionPrincipalId string

@description('Makes the check characters of API keys; another one voids every key.')
@secure()
@minLength(32)
param keyPepper string

@description('Whether the vault is reached through its private endpoint only.')
param isPrivate bool

@description('Resource id of the subnet of private endpoints; empty unless private.')
param endpointSubnetId string

@description('Resource id of the DNS zone; empty unless private.')
param vaultZoneId string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

var roles = loadJsonContent('../role-ids.json')
var hasEncryptionKey = !empty(encryptionPrincipalId)
var rotation = {
  lifetimeActions: [
    {
      action: {
        type: 'rotate'
      }
      trigger: {
        timeAfterCreate: keyRotationPeriod
      }
    }
  ]
}

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: keyType == 'RSA-HSM' ? 'premium' : 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteDays
    enablePurgeProtection: true
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      // Storage and model accounts read their encryption key as trusted services.
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

// No expiry: data keys are wrapped by whichever version was current, for as long as the tenant is there.
resource wrappingKey 'Microsoft.KeyVault/vaults/keys@2023-07-01' = {
  parent: vault
  name: 'tenant-data'
  tags: tags
  properties: {
    kty: keyType
    keySize: 3072
    keyOps: ['wrapKey', 'unwrapKey']
    rotationPolicy: rotation
  }
}

resource encryptionKey 'Microsoft.KeyVault/vaults/keys@2023-07-01' = if (hasEncryptionKey) {
  parent: vault
  name: 'resource-encryption'
  tags: tags
  properties: {
    kty: keyType
    keySize: 3072
    keyOps: ['wrapKey', 'unwrapKey']
    rotationPolicy: rotation
  }
}

resource pepper 'Microsoft.KeyVault/vaults/secrets@2023-07-01' = {
  parent: vault
  name: 'key-pepper'
  tags: tags
  properties: {
    value: keyPepper
    contentType: 'TENANTRY_KEY_PEPPER'
  }
}

// Read, wrap and unwrap, of this key and no other.
resource appWrapsDataKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(wrappingKey.id, appPrincipalId, roles.keyVaultCryptoServiceEncryptionUser)
  scope: wrappingKey
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.keyVaultCryptoServiceEncryptionUser
    )
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// The reference in the app's settings is resolved under its identity: this secret, and no other.
resource appReadsPepper 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(pepper.id, appPrincipalId, roles.keyVaultSecretsUser)
  scope: pepper
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

resource resourcesWrapTheirKeys 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (hasEncryptionKey) {
  name: guid(vault.id, 'resource-encryption', encryptionPrincipalId, roles.keyVaultCryptoServiceEncryptionUser)
  scope: encryptionKey
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.keyVaultCryptoServiceEncryptionUser
    )
    principalId: encryptionPrincipalId
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

output id string = vault.id
output name string = vault.name
output uri string = vault.properties.vaultUri
output wrappingKeyName string = wrappingKey.name
output encryptionKeyName string = hasEncryptionKey ? encryptionKey.name : ''
output encryptionKeyVersion string = hasEncryptionKey ? last(split(encryptionKey!.properties.keyUriWithVersion, '/')) : ''
// By its name and without a version, so that the app reads a new one after its next start.
output keyPepperReference string = '@Microsoft.KeyVault(VaultName=${vault.name};SecretName=${pepper.name})'
