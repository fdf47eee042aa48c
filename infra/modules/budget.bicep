// What the environment may cost a month, as a warning: nothing is stopped by it. Tenants' budgets are the platform's.

targetScope = 'subscription'

@description('Name of the budget.')
param name string

@description('A month, in the subscription’s currency.')
@minValue(1)
param amount int

@description('The first of a month. Azure takes no other one later.')
param startDate string

@description('The resource groups that count.')
param resourceGroupNames array

@description('Resource id of the action group.')
param actionGroupId string

resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: startDate
    }
    filter: {
      dimensions: {
        name: 'ResourceGroupName'
        operator: 'In'
        values: resourceGroupNames
      }
    }
    notifications: {
      spent: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: []
        contactGroups: [actionGroupId]
      }
      expected: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: []
        contactGroups: [actionGroupId]
      }
    }
  }
}
