// The operators' page in the portal.

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('What the page is called.')
param title string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'operators')
  location: location
  kind: 'shared'
  tags: tags
  properties: {
    displayName: title
    category: 'workbook'
    sourceId: workspaceId
    serializedData: loadTextContent('../workbook/operators.json')
  }
}

output id string = workbook.id
