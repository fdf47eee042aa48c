// One Azure OpenAI account with its content filters and deployments. No key opens it; the platform comes with its identity.

@description('Name of the account, also its subdomain: unique in all of Azure and hardly ever to be changed.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Deployments: name, model, version, sku (GlobalStandard, DataZoneStandard, Standard, ProvisionedManaged, GlobalProvisionedManaged, DataZoneProvisionedManaged …), capacity (thousands of tokens a minute, or PTU); optional raiPolicy, spilloverTo, format.')
param deployments array

@description('Hosts that the account may call, for files that are imported by their address; all others are refused.')
param allowedFqdns array

@description('Content filters: name, promptThreshold and completionThreshold (Low filters most), mode.')
param contentFilters array

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

@description('Resource id of the identity that reads the encryption key; empty for keys of Microsoft.')
param encryptionIdentityId string

@description('Client id of that identity.')
param encryptionIdentityClientId string

@description('Name of the encryption key in the vault; empty for keys of Microsoft.')
param encryptionKeyName string

@description('Version of the encryption key; a newer one is taken with the next deployment.')
param encryptionKeyVersion string

@description('Address of the vault of the encryption key; empty for keys of Microsoft.')
param encryptionVaultUri string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the action group.')
param actionGroupId string

var roles = loadJsonContent('../role-ids.json')
var hasOwnKey = !empty(encryptionKeyName)
var harms = ['Hate', 'Selfharm', 'Sexual', 'Violence']
var alwaysOn = [
  { name: 'Jailbreak', source: 'Prompt', blocking: true, enabled: true }
  { name: 'Protected Material Text', source: 'Completion', blocking: true, enabled: true }
  { name: 'Protected Material Code', source: 'Completion', blocking: false, enabled: true }
]
var provisioned = filter(deployments, deployment => contains(deployment.sku, 'Provisioned'))

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: name
  location: location
  kind: 'OpenAI'
  tags: tags
  sku: {
    name: 'S0'
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
    customSubDomainName: name
    disableLocalAuth: true
    restrictOutboundNetworkAccess: true
    allowedFqdnList: allowedFqdns
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
    encryption: hasOwnKey
      ? {
          keySource: 'Microsoft.KeyVault'
          keyVaultProperties: {
            identityClientId: encryptionIdentityClientId
            keyName: encryptionKeyName
            keyVersion: encryptionKeyVersion
            keyVaultUri: encryptionVaultUri
          }
        }
      : null
  }
}

@batchSize(1)
resource filters 'Microsoft.CognitiveServices/accounts/raiPolicies@2025-06-01' = [
  for contentFilter in contentFilters: {
    parent: account
    name: contentFilter.name
    tags: tags
    properties: {
      basePolicyName: 'Microsoft.DefaultV2'
      mode: contentFilter.mode
      contentFilters: concat(
        map(harms, harm => {
          name: harm
          source: 'Prompt'
          blocking: true
          enabled: true
          severityThreshold: contentFilter.promptThreshold
        }),
        map(harms, harm => {
          name: harm
          source: 'Completion'
          blocking: true
          enabled: true
          severityThreshold: contentFilter.completionThreshold
        }),
        alwaysOn
      )
    }
  }
]

// One after another: an account refuses a second change while one is under way. Those that others spill over to come first
// in the list.
@batchSize(1)
resource models 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = [
  for deployment in deployments: {
    parent: account
    name: deployment.name
    tags: tags
    sku: {
      name: deployment.sku
      capacity: deployment.capacity
    }
    properties: {
      model: {
        format: deployment.?format ?? 'OpenAI'
        name: deployment.model
        version: deployment.version
      }
      raiPolicyName: deployment.?raiPolicy ?? 'Microsoft.DefaultV2'
      spilloverDeploymentName: deployment.?spilloverTo
      // Tenants are told before their model changes; Azure’s own time for it comes at its retirement.
      versionUpgradeOption: 'OnceCurrentVersionExpired'
    }
    dependsOn: [filters]
  }
]

// Inference, files, batches and training. Deployments of tenants’ own come by the role on the stamp's resource group.
resource appUsesModels 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, roles.cognitiveServicesOpenAiContributor)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.cognitiveServicesOpenAiContributor
    )
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// The account's metrics, with which the platform's own figures of usage are compared.
resource appReadsMetrics 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, roles.monitoringReader)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.monitoringReader)
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
  // While a deployment is being made the account takes no other change.
  dependsOn: [models]
}

// Who did what, and how calls went. RequestResponse carries no prompts and no answers.
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
      {
        category: 'RequestResponse'
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

resource unavailable 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-unavailable'
  location: 'global'
  tags: tags
  properties: {
    description: 'An Azure OpenAI account answers fewer than 99 of 100 calls.'
    severity: 1
    enabled: true
    scopes: [account.id]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'availability'
          metricName: 'AzureOpenAIAvailabilityRate'
          operator: 'LessThan'
          threshold: 99
          timeAggregation: 'Average'
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroupId
      }
    ]
  }
}

resource provisionedFull 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(provisioned)) {
  name: '${name}-provisioned-full'
  location: 'global'
  tags: tags
  properties: {
    description: 'Provisioned throughput has been used to 95 % and more for a quarter of an hour.'
    severity: 2
    enabled: true
    scopes: [account.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'utilization'
          metricName: 'AzureOpenAIProvisionedManagedUtilizationV2'
          operator: 'GreaterThan'
          threshold: 95
          timeAggregation: 'Average'
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroupId
      }
    ]
  }
}

output id string = account.id
output endpoint string = account.properties.endpoint
