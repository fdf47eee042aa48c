// Azure's built-in policies for Azure AI services, on one resource group. Audit names what departs from them; Deny also
// refuses to make it, tenants' own accounts included.

@description('Whether departures are named or refused.')
@allowed(['Audit', 'Deny'])
param effect string

@description('Whether accounts have private endpoints, and so must.')
param isPrivate bool

@description('Whether accounts are encrypted with a key of one’s own, and so must be.')
param hasOwnKey bool

// Names of https://learn.microsoft.com/azure/ai-services/policy-reference
var always = [
  { name: 'no-keys', definition: '71ef260a-8f18-47b7-abcb-62d0673d94dc', effect: effect }
  { name: 'diagnostic-logs', definition: '1b4d1c4e-934c-4703-944c-27c82c06bebb', effect: 'AuditIfNotExists' }
]
var whenPrivate = isPrivate
  ? [
      { name: 'restricted-network', definition: '037eea7a-bd0a-46c5-9a66-03aea78705d3', effect: effect }
      { name: 'private-link', definition: 'd6759c02-b87f-42b7-892e-71b3f471d782', effect: 'Audit' }
    ]
  : []
var whenOwnKey = hasOwnKey
  ? [{ name: 'own-key', definition: '67121cc7-ff39-4ab8-b7e3-95b84dab487d', effect: effect }]
  : []

resource assignments 'Microsoft.Authorization/policyAssignments@2022-06-01' = [
  for policy in concat(always, whenPrivate, whenOwnKey): {
    name: 'tenantry-${policy.name}'
    properties: {
      displayName: 'Tenantry: ${policy.name}'
      policyDefinitionId: tenantResourceId('Microsoft.Authorization/policyDefinitions', policy.definition)
      enforcementMode: 'Default'
      parameters: {
        effect: {
          value: policy.effect
        }
      }
    }
  }
]
