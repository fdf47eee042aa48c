import type { CallId, TenantId } from '../../src/base/ids'
import type { CallIntent, CallSettlement } from '../../src/metering/usage-record'

/** A call of which only the named fields matter to the test. */
export function intentOf(name: string | number, more: Partial<CallIntent> = {}): CallIntent {
  return {
    callId: `call_${name}` satisfies CallId,
    startedAt: Date.UTC(2026, 0, 1, 10, 30),
    tenantId: 'ten_a' satisfies TenantId,
    keyId: 'key_1',
    alias: 'fast',
    model: 'gpt-4.1-mini',
    operation: 'chat.completions',
    requestId: `request-${name}`,
    estimatedTokens: 100,
    ...more,
  }
}

export function settlementOf(more: Partial<CallSettlement> = {}): CallSettlement {
  return {
    outcome: 'completed',
    status: 200,
    backendId: 'bke_1',
    deployment: 'mini-1',
    region: 'swedencentral',
    usage: { promptTokens: 100, cachedTokens: 10, outputTokens: 20, reasoningTokens: 5 },
    estimated: false,
    costMicroUsd: 69,
    latencyMs: 250,
    firstByteMs: 120,
    attempts: 1,
    ...more,
  }
}
