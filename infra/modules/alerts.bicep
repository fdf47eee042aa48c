// What calls an operator. Each rule's name stands in docs/deployment.md with what to look at. Tenants' own troubles (budgets,
// failed operations) are alerts of the platform itself, not of Azure.

@description('Begins every name.')
param prefix string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the Application Insights component.')
param componentId string

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the app’s storage account.')
param storageId string

@description('Resource id of the Key Vault.')
param vaultId string

@description('Where clients reach the platform.')
param publicUrl string

@description('Whether Azure’s probes can reach the app.')
param isInboundPublic bool

@description('Resource id of the action group.')
param actionGroupId string

// Of the app's own metrics, which are counted in full and which nobody else sends: requests are a sample, and the Functions host
// writes its own beside ours. docs/telemetry.md has the names; test/infra/queries.test.ts holds these queries against what is sent.
var queries = [
  {
    name: 'server-errors'
    severity: 1
    description: 'More than 2 of 100 calls and requests ended with 500 or above or broke off, of 50 at least.'
    query: 'AppMetrics | where Name in ("tenantry.calls", "tenantry.refusals", "http.server.request.duration") | extend answers = iff(Name == "http.server.request.duration", toreal(ItemCount), Sum), isFailed = toint(Properties["http.response.status_code"]) >= 500 or (tostring(Properties["tenantry.outcome"]) == "interrupted" and tostring(Properties["error.type"]) != "client_closed_request") | summarize total = sum(answers), failed = sumif(answers, isFailed) | where total >= 50 and failed * 100.0 / total > 2'
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'refused-calls'
    severity: 2
    description: 'More than 30 of 100 calls were refused with 429, of 200 calls at least: limits or capacity are too small.'
    query: 'AppMetrics | where Name in ("tenantry.calls", "tenantry.refusals") | summarize total = sum(Sum), refused = sumif(Sum, toint(Properties["http.response.status_code"]) == 429) | where total >= 200 and refused * 100.0 / total > 30'
    frequency: 'PT15M'
    window: 'PT30M'
  }
  {
    name: 'cut-off-calls'
    severity: 2
    description: 'An instance ended before its calls had.'
    query: 'AppTraces | where Message has "calls are cut off"'
    frequency: 'PT15M'
    window: 'PT15M'
  }
  {
    name: 'unexpected-failures'
    severity: 2
    description: 'The app threw more than 20 exceptions in a quarter of an hour.'
    query: 'AppExceptions | summarize thrown = count() | where thrown > 20'
    frequency: 'PT15M'
    window: 'PT15M'
  }
  {
    name: 'silent-timers'
    severity: 2
    description: 'Usage has not been rolled up for an hour.'
    query: 'AppMetrics | where Name == "tenantry.timer.duration" and tostring(Properties["tenantry.timer"]) == "roll-up-usage" and tostring(Properties["tenantry.outcome"]) == "completed" | summarize runs = count() | where runs == 0'
    frequency: 'PT30M'
    window: 'PT1H'
  }
]

resource searches 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in queries: {
    name: '${prefix}-${rule.name}'
    location: location
    kind: 'LogAlert'
    tags: tags
    properties: {
      displayName: rule.name
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      autoMitigate: true
      // A workspace has no such tables before the first line of the app.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [actionGroupId]
      }
    }
  }
]

resource probe 'Microsoft.Insights/webtests@2022-06-15' = if (isInboundPublic) {
  name: '${prefix}-health'
  location: location
  kind: 'standard'
  // Azure finds the component of a probe by this tag.
  tags: union(tags, { 'hidden-link:${componentId}': 'Resource' })
  properties: {
    SyntheticMonitorId: '${prefix}-health'
    Name: 'health'
    Kind: 'standard'
    Enabled: true
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'us-va-ash-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: {
      RequestUrl: '${publicUrl}/api/health/ready'
      HttpVerb: 'GET'
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 14
    }
  }
}

resource unreachable 'Microsoft.Insights/metricAlerts@2018-03-01' = if (isInboundPublic) {
  name: '${prefix}-unreachable'
  location: 'global'
  tags: tags
  properties: {
    description: 'Two of three places in the world get no healthy answer.'
    severity: 0
    enabled: true
    scopes: [probe.id, componentId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: probe.id
      componentId: componentId
      failedLocationCount: 2
    }
    actions: [
      {
        actionGroupId: actionGroupId
      }
    ]
  }
}

resource storageFailing 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${prefix}-storage-failing'
  location: 'global'
  tags: tags
  properties: {
    description: 'Storage fails more than 1 of 1,000 requests: limits, keys and usage hang on it.'
    severity: 1
    enabled: true
    scopes: [storageId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'availability'
          metricName: 'Availability'
          operator: 'LessThan'
          threshold: json('99.9')
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

resource vaultFailing 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${prefix}-vault-failing'
  location: 'global'
  tags: tags
  properties: {
    description: 'Key Vault fails more than 1 of 100 requests: data keys that are not in memory cannot be unwrapped.'
    severity: 1
    enabled: true
    scopes: [vaultId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'availability'
          metricName: 'Availability'
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
