// Deleted model accounts hold their name and quota until they are purged, which is a right on the subscription. Of the
// built-in roles only far wider ones have it; this one has nothing else.

targetScope = 'subscription'

@description('Name of the environment; role names are unique in a directory.')
param environmentName string

@description('Object id of the identity of the app.')
param appPrincipalId string

resource purger 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, environmentName, 'deleted-model-account-purger')
  properties: {
    roleName: 'Tenantry deleted model account purger (${environmentName})'
    description: 'Sees deleted Azure AI services accounts and purges them.'
    type: 'CustomRole'
    assignableScopes: [subscription().id]
    permissions: [
      {
        actions: [
          'Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts/read'
          'Microsoft.CognitiveServices/locations/resourceGroups/deletedAccounts/delete'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

resource appPurgesDeletedAccounts 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, appPrincipalId, purger.id)
  properties: {
    roleDefinitionId: purger.id
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
  }
}
