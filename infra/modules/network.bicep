// The private network: one subnet by which the app goes out, one in which the private endpoints are, and the DNS zones by
// which names lead to them.

@description('Name of the virtual network.')
param name string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Addresses of the network; at least a /24.')
param addressPrefix string

@description('Whether the app itself has a private endpoint, and so a DNS zone.')
param hasPrivateInbound bool

// Outside the public cloud the storage names differ; the others are Azure's own list of private link zones.
var zoneNames = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  vault: 'privatelink.vaultcore.azure.net'
  eventGrid: 'privatelink.eventgrid.azure.net'
  openAi: 'privatelink.openai.azure.com'
  cognitiveServices: 'privatelink.cognitiveservices.azure.com'
  aiServices: 'privatelink.services.ai.azure.com'
}
var zoneList = concat(map(items(zoneNames), zone => zone.value), hasPrivateInbound ? ['privatelink.azurewebsites.net'] : [])

resource appRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: '${name}-app'
  location: location
  tags: tags
  properties: {
    securityRules: []
  }
}

// Nothing but the app's own subnet speaks to the endpoints.
resource endpointRules 'Microsoft.Network/networkSecurityGroups@2024-05-01' = {
  name: '${name}-endpoints'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'https-from-app'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: cidrSubnet(addressPrefix, 26, 0)
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '443'
        }
      }
      {
        name: 'https-from-network'
        properties: {
          priority: 110
          direction: 'Inbound'
          access: hasPrivateInbound ? 'Allow' : 'Deny'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '443'
        }
      }
      {
        name: 'nothing-else'
        properties: {
          priority: 4096
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [addressPrefix]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          networkSecurityGroup: {
            id: appRules.id
          }
          // Flex Consumption takes a subnet of this delegation and no other.
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          networkSecurityGroup: {
            id: endpointRules.id
          }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in zoneList: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, i) in zoneList: {
    parent: zones[i]
    name: name
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: network.id
      }
    }
  }
]

output appSubnetId string = '${network.id}/subnets/app'
output endpointSubnetId string = '${network.id}/subnets/endpoints'
output blobZoneId string = resourceId('Microsoft.Network/privateDnsZones', zoneNames.blob)
output queueZoneId string = resourceId('Microsoft.Network/privateDnsZones', zoneNames.queue)
output tableZoneId string = resourceId('Microsoft.Network/privateDnsZones', zoneNames.table)
output vaultZoneId string = resourceId('Microsoft.Network/privateDnsZones', zoneNames.vault)
output eventGridZoneId string = resourceId('Microsoft.Network/privateDnsZones', zoneNames.eventGrid)
output cognitiveZoneIds array = [
  resourceId('Microsoft.Network/privateDnsZones', zoneNames.openAi)
  resourceId('Microsoft.Network/privateDnsZones', zoneNames.cognitiveServices)
  resourceId('Microsoft.Network/privateDnsZones', zoneNames.aiServices)
]
output sitesZoneId string = hasPrivateInbound
  ? resourceId('Microsoft.Network/privateDnsZones', 'privatelink.azurewebsites.net')
  : ''
