export const DIRECTORY = 'aaaaaaaa-0000-4000-8000-00000000000a'

const budget = { limit: 1, stop: true }
export const budgets = {
  tokensPerDay: budget,
  tokensPerMonth: budget,
  microUsdPerDay: budget,
  microUsdPerMonth: budget,
}

/** An alias with every field that it can have beside a deployment; on a backend where one is given. */
export function sharedAlias(backendId?: string) {
  return {
    name: 'chat',
    model: 'gpt-4.1-mini',
    capabilities: ['chat'],
    outputTokensMax: 100,
    outputTokensField: 'max_tokens',
    limits: { requestsPerMinute: 1, tokensPerMinute: 1, concurrentCalls: 1 },
    budgets,
    hedge: { afterMs: 500, shareMax: 0.05 },
    ...(backendId === undefined ? {} : { groups: [{ members: [{ backendId, weight: 1 }] }] }),
  }
}

/** Two aliases, of which the first falls back to the second. */
export const aliasesWithFallback = (backendId: string) => [
  { ...sharedAlias(backendId), fallback: 'other' },
  { ...sharedAlias(backendId), name: 'other' },
]

export const deploymentOf = (alias: object) => ({
  ...alias,
  deployment: { modelVersion: '2025-04-14', sku: 'GlobalStandard', capacity: 10 },
})

/** An account of a tenant's own, by either of the credentials that there are. */
export const accountOf = (credential: 'identity' | 'secret') => ({
  resourceId: `/subscriptions/${DIRECTORY}/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/contoso`,
  endpoint: 'https://contoso.openai.azure.com',
  directoryId: DIRECTORY,
  deployments: { chat: 'gpt' },
  credential: credential === 'identity' ? { kind: 'identity' } : { kind: 'tenant-secret', name: 'account-key' },
})
