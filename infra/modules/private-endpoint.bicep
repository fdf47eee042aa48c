// One resource's private endpoint, with its names in the zones given.

@description('Name of the endpoint.')
param name string

@description('Region of the network; the resource may be in another one.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the subnet that the endpoint is put into.')
param subnetId string

@description('Resource id of what the endpoint leads to.')
param targetId string

@description('Which of the services of the resource.')
@allowed(['account', 'blob', 'queue', 'sites', 'table', 'vault'])
param groupId string

@description('Resource ids of the private DNS zones.')
param zoneIds array

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: targetId
          groupIds: [groupId]
        }
      }
    ]
  }
}

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      for zoneId in zoneIds: {
        name: replace(last(split(zoneId, '/')), '.', '-')
        properties: {
          privateDnsZoneId: zoneId
        }
      }
    ]
  }
}
