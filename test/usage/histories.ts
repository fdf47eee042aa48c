import fc from 'fast-check'
import type { ContainerClient } from '@azure/storage-blob'
import type { TenantId } from '../../src/base/ids'
import { encodeIntent, encodeSettled, encodeTally, type LogLine } from '../../src/metering/log-line'
import { noMedia, type CallIntent, type CallSettlement } from '../../src/metering/usage-record'
import type { SketchField } from '../../src/usage/usage-sketches'
import {
  addSums,
  zeroSums,
  type GroupField,
  type UsageGroup,
  type UsageOutcome,
  type UsageSums,
} from '../../src/usage/usage-sums'
import { intentOf, settlementOf } from '../metering/records'

/** A call as the test knows it, and what became of it. */
export interface History {
  readonly intent: CallIntent
  readonly settlement: CallSettlement | undefined
  /** In place of one call, so many that were refused like it; its intent only says whose they were. */
  readonly refusals?: { readonly status: number; readonly calls: number } | undefined
  /** Which of the test's blobs it lies in. */
  readonly blob: number
}

export const tenants: readonly TenantId[] = ['ten_a', 'ten_b', 'ten_c']

/** Some calls of some tenants within `spanMinutes` from `startMs`, in up to `blobs` blobs. */
export function histories(options: {
  startMs: number
  spanMinutes: number
  blobs: number
  callsMin?: number
  callsMax: number
}): fc.Arbitrary<History[]> {
  const { startMs, spanMinutes, blobs, callsMin = 0, callsMax } = options
  const count = fc.integer({ min: 0, max: 5_000 })
  const media = fc.record({ imageTokens: count, images: count, audioMs: count, characters: count })
  const settlement = fc
    .record({
      outcome: fc.constantFrom('completed', 'rejected', 'failed', 'interrupted'),
      status: fc.constantFrom(200, 400, 429, 499, 503),
      attempts: fc.nat(2),
      queuedMs: fc.option(fc.nat(3_000), { nil: undefined }),
      throttledAttempts: fc.option(fc.nat(3), { nil: undefined }),
      code: fc.constantFrom('client_closed_request', 'model_asleep', 'upstream_failed', 'long_gone', undefined),
      backendId: fc.constantFrom('bke_1', 'bke_2', undefined),
      region: fc.constantFrom('swedencentral', 'westeurope', undefined),
      usage: fc.record(
        { promptTokens: count, cachedTokens: count, outputTokens: count, reasoningTokens: count, media },
        { requiredKeys: ['promptTokens', 'cachedTokens', 'outputTokens', 'reasoningTokens'] },
      ),
      estimated: fc.boolean(),
      costMicroUsd: fc.option(count, { nil: undefined }),
      latencyMs: count,
      firstByteMs: fc.option(count, { nil: undefined }),
      hedgedTokens: fc.option(count, { nil: undefined }),
    } as const)
    .map((fields) => settlementOf(fields))
  const call = fc.record({
    tenantId: fc.constantFrom(...tenants),
    keyId: fc.constantFrom('key_1', 'key_2'),
    alias: fc.constantFrom('fast', 'good'),
    minute: fc.nat(spanMinutes - 1),
    offsetMs: fc.nat(59_999),
    settlement: fc.option(settlement, { nil: undefined, freq: 6 }),
    refusals: fc.option(fc.record({ status: fc.constantFrom(429, 500, 503), calls: fc.integer({ min: 1, max: 9 }) }), {
      nil: undefined,
      freq: 1,
    }),
    blob: fc.nat(blobs - 1),
  } as const)
  return fc.array(call, { minLength: callsMin, maxLength: callsMax, size: 'max' }).map((calls) =>
    calls.map(({ tenantId, keyId, alias, minute, offsetMs, settlement, refusals, blob }, i) => ({
      intent: intentOf(i, { tenantId, keyId, alias, startedAt: startMs + minute * 60_000 + offsetMs }),
      settlement: refusals && i % 4 === 0 ? undefined : settlement,
      refusals: i % 4 === 0 ? refusals : undefined,
      blob,
    })),
  )
}

/** The lines of a call; a call that was settled at once has no line for its intent. */
export function linesOfCall({ intent, settlement, refusals }: History): LogLine[] {
  if (refusals) return [{ kind: 'tally', tally: tallyOf(intent, refusals) }]
  const opened: LogLine = { kind: 'intent', intent }
  if (!settlement) return [opened]
  const settled: LogLine = { kind: 'settled', intent, settlement, intentElsewhere: false }
  return intent.startedAt % 3 === 0 ? [settled] : [opened, settled]
}

const tallyOf = (
  { callId, startedAt, tenantId, keyId, alias, model, operation }: CallIntent,
  { status, calls }: { status: number; calls: number },
) => ({
  tallyId: `tly_${callId}` as const,
  startedAt,
  tenantId,
  keyId,
  alias,
  model,
  operation,
  code: status === 429 ? 'rate_limit_exceeded' : 'storage_unavailable',
  status,
  calls,
})

export function textOf(line: LogLine): string {
  if (line.kind === 'tally') return encodeTally(line.tally)
  return line.kind === 'intent'
    ? encodeIntent(line.intent)
    : encodeSettled(line.intent, line.settlement, line.intentElsewhere)
}

/** Appends lines to a blob as a usage log would, in one append. */
export async function appendLines(container: ContainerClient, name: string, lines: readonly LogLine[]): Promise<void> {
  const blob = container.getAppendBlobClient(name)
  await blob.createIfNotExists()
  const text = Buffer.from(lines.map(textOf).join(''))
  if (text.length > 0) await blob.appendBlock(text, text.length)
}

type By = { by: readonly GroupField[]; startOf: (ms: number) => number | undefined }

/** The sums of the calls, by the given fields and start of interval: added one by one, from the calls. */
export function bruteForce(calls: readonly History[], how: By): Map<string, UsageSums> {
  const sums = new Map<string, UsageSums>()
  for (const call of calls) {
    const key = keyOf(call, how)
    const entry = sums.get(key) ?? zeroSums()
    sums.set(key, entry)
    addSums(entry, sumsOf(call))
  }
  return sums
}

/** The spans themselves that percentiles are of, by the same keys. */
export function trueSpans(calls: readonly History[], how: By): Map<string, Record<SketchField, number[]>> {
  const spans = new Map<string, Record<SketchField, number[]>>()
  for (const call of calls) {
    const key = keyOf(call, how)
    const entry = spans.get(key) ?? { latency: [], firstByte: [], queued: [] }
    spans.set(key, entry)
    const { settlement } = call
    if (!settlement || settlement.latencyMs === 0 || !['completed', 'interrupted'].includes(settlement.outcome))
      continue
    entry.latency.push(settlement.latencyMs)
    if (settlement.firstByteMs !== undefined) entry.firstByte.push(settlement.firstByteMs)
    if (settlement.queuedMs !== undefined) entry.queued.push(settlement.queuedMs)
  }
  return spans
}

function keyOf({ intent, settlement, refusals }: History, { by, startOf }: By): string {
  const group: UsageGroup = {
    key: intent.keyId,
    alias: intent.alias,
    model: intent.model,
    operation: intent.operation,
    outcome: refusals ? turnedAway(refusals.status) : settlement ? outcomeOf(settlement) : 'unsettled',
    backend: settlement?.backendId ?? null,
    deployment: settlement?.deployment ?? null,
    region: settlement?.region ?? null,
  }
  return JSON.stringify([startOf(intent.startedAt) ?? null, ...by.map((field) => group[field])])
}

const turnedAway = (status: number): UsageOutcome => (status === 429 ? 'refused' : 'unavailable')

const neverSent = ({ outcome, attempts, status }: CallSettlement) =>
  outcome === 'failed' && attempts === 0 && [429, 500, 503].includes(status)

const outcomeOf = (settlement: CallSettlement): UsageOutcome =>
  neverSent(settlement) ? turnedAway(settlement.status) : settlement.outcome

function sumsOf({ settlement, refusals }: History): UsageSums {
  if (refusals) {
    const { status, calls } = refusals
    return { ...zeroSums(), [turnedAway(status)]: calls, tenantFaults: status === 429 ? calls : 0 }
  }
  if (!settlement) return { ...zeroSums(), unsettled: 1 }
  const faults = faultsOf(settlement)
  return neverSent(settlement)
    ? { ...zeroSums(), ...faults, [turnedAway(settlement.status)]: 1 }
    : { ...settledSums(settlement), ...faults }
}

/** Whose fault they are, of the codes that the test has. */
const faultsOf = ({ code }: CallSettlement) => ({
  callerFaults: code === 'client_closed_request' ? 1 : 0,
  tenantFaults: code === 'model_asleep' ? 1 : 0,
})

function settledSums(settlement: CallSettlement): Omit<UsageSums, 'callerFaults' | 'tenantFaults'> {
  const { usage, estimated, costMicroUsd, latencyMs, firstByteMs, hedgedTokens = 0, queuedMs = 0 } = settlement
  return {
    promptTokens: usage.promptTokens,
    cachedTokens: usage.cachedTokens,
    outputTokens: usage.outputTokens,
    reasoningTokens: usage.reasoningTokens,
    ...(usage.media ?? noMedia),
    hedgedTokens,
    calls: 1,
    unsettled: 0,
    estimated: estimated ? 1 : 0,
    unpriced: costMicroUsd === undefined ? 1 : 0,
    costMicroUsd: costMicroUsd ?? 0,
    latencyMs,
    firstByteMs: firstByteMs ?? 0,
    firstByteCalls: firstByteMs === undefined ? 0 : 1,
    queuedMs,
    queuedCalls: queuedMs > 0 ? 1 : 0,
    throttled: settlement.throttledAttempts ?? 0,
    refused: 0,
    unavailable: 0,
  }
}
