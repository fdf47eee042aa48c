import { systemChance } from '../../src/base/chance'
import type { CallIntent, CallSettlement } from '../../src/metering/usage-record'
import type { HistogramPoint, Metric, NumberPoint } from '../../src/telemetry/metric'

export const chance = systemChance()

export function intentOf(more: Partial<CallIntent> = {}): CallIntent {
  return {
    callId: 'call_1',
    requestId: 'request-1',
    startedAt: 0,
    tenantId: 'ten_1',
    keyId: 'key_1',
    alias: 'chat',
    model: 'gpt-4.1',
    operation: 'chat.completions',
    estimatedTokens: 100,
    ...more,
  }
}

export function settlementOf(more: Partial<CallSettlement> = {}): CallSettlement {
  return {
    outcome: 'completed',
    status: 200,
    backendId: 'bke_1',
    deployment: 'gpt-4.1',
    region: 'swedencentral',
    usage: { promptTokens: 10, cachedTokens: 0, outputTokens: 20, reasoningTokens: 0 },
    estimated: false,
    costMicroUsd: 1,
    latencyMs: 500,
    firstByteMs: 100,
    attempts: 1,
    queuedMs: 0,
    ...more,
  }
}

export const pointsOf = (metrics: readonly Metric[], name: string): readonly (HistogramPoint | NumberPoint)[] =>
  metrics.find((metric) => metric.name === name)?.points.values ?? []
