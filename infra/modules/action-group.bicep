// Whom alerts go to.

@description('Name of the action group.')
param name string

@description('Tags of every resource.')
param tags object

@description('E-mail addresses, separated by commas; empty: alerts are seen in the portal only.')
param emails string

var addresses = empty(emails) ? [] : map(split(emails, ','), address => trim(address))

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'tenantry'
    emailReceivers: [
      for (address, i) in addresses: {
        name: 'operator-${i}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

output id string = group.id
