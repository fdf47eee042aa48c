import { systemChance } from '../../src/base/chance'
import type { CallIntent, CallSettlement } from '../../src/metering/usage-record'
import { intentOf as recordedIntent, settlementOf as recordedSettlement } from '../metering/records'
import type { HistogramPoint, Metric, NumberPoint } from '../../src/telemetry/metric'

export const chance = systemChance()

export const intentOf = (more: Partial<CallIntent> = {}): CallIntent =>
  recordedIntent(1, { startedAt: 0, tenantId: 'ten_1', alias: 'chat', model: 'gpt-4.1', ...more })

export const settlementOf = (more: Partial<CallSettlement> = {}): CallSettlement =>
  recordedSettlement({
    deployment: 'gpt-4.1',
    usage: { promptTokens: 10, cachedTokens: 0, outputTokens: 20, reasoningTokens: 0 },
    costMicroUsd: 1,
    latencyMs: 500,
    firstByteMs: 100,
    queuedMs: 0,
    ...more,
  })

export const pointsOf = (metrics: readonly Metric[], name: string): readonly (HistogramPoint | NumberPoint)[] =>
  metrics.find((metric) => metric.name === name)?.points.values ?? []
