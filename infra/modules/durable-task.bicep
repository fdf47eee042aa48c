// The Durable Task Scheduler, for those who take it instead of Azure Storage under Durable Functions.

@description('Name of the scheduler.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Name of the task hub.')
param hubName string

@description('Paid by use, or units that are the platform’s alone.')
@allowed(['Consumption', 'Dedicated'])
param sku string

@description('Units of a dedicated scheduler; from three on they are spread over zones.')
@minValue(1)
param capacity int

@description('Object id of the identity of the app.')
param appPrincipalId string

@description('Client id of the identity of the app.')
param appClientId string

var roles = loadJsonContent('../role-ids.json')

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    // Who gets in is decided by role: the app's addresses change as it scales.
    ipAllowlist: ['0.0.0.0/0']
    sku: sku == 'Dedicated'
      ? {
          name: sku
          capacity: capacity
        }
      : {
          name: sku
        }
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' = {
  parent: scheduler
  name: hubName
}

resource appRunsOrchestrations 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hub.id, appPrincipalId, roles.durableTaskDataContributor)
  scope: hub
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.durableTaskDataContributor)
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}

// Names an identity, no key.
output connection string = 'Endpoint=${scheduler.properties.endpoint};Authentication=ManagedIdentity;ClientID=${appClientId};TaskHub=${hub.name}'
