import fc from 'fast-check'
import type { ContainerClient } from '@azure/storage-blob'
import type { TenantId } from '../../src/base/ids'
import { encodeIntent, encodeSettled, type LogLine } from '../../src/metering/log-line'
import { noMedia, type CallIntent, type CallSettlement } from '../../src/metering/usage-record'
import { addSums, zeroSums, type GroupField, type UsageGroup, type UsageSums } from '../../src/usage/usage-sums'
import { intentOf, settlementOf } from '../metering/records'

/** A call as the test knows it, and what became of it. */
export interface History {
  readonly intent: CallIntent
  readonly settlement: CallSettlement | undefined
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
    blob: fc.nat(blobs - 1),
  } as const)
  return fc.array(call, { minLength: callsMin, maxLength: callsMax, size: 'max' }).map((calls) =>
    calls.map(({ tenantId, keyId, alias, minute, offsetMs, settlement, blob }, i) => ({
      intent: intentOf(i, { tenantId, keyId, alias, startedAt: startMs + minute * 60_000 + offsetMs }),
      settlement,
      blob,
    })),
  )
}

/** The lines of a call; a call that was settled at once has no line for its intent. */
export function linesOfCall({ intent, settlement }: History): LogLine[] {
  const opened: LogLine = { kind: 'intent', intent }
  if (!settlement) return [opened]
  const settled: LogLine = { kind: 'settled', intent, settlement, intentElsewhere: false }
  return intent.startedAt % 3 === 0 ? [settled] : [opened, settled]
}

export const textOf = (line: LogLine) =>
  line.kind === 'intent' ? encodeIntent(line.intent) : encodeSettled(line.intent, line.settlement, line.intentElsewhere)

/** Appends lines to a blob as a usage log would, in one append. */
export async function appendLines(container: ContainerClient, name: string, lines: readonly LogLine[]): Promise<void> {
  const blob = container.getAppendBlobClient(name)
  await blob.createIfNotExists()
  const text = Buffer.from(lines.map(textOf).join(''))
  if (text.length > 0) await blob.appendBlock(text, text.length)
}

/** The sums of the calls that `wanted` picks, by the given fields and start of interval: added one by one, from the calls. */
export function bruteForce(
  calls: readonly History[],
  { by, startOf }: { by: readonly GroupField[]; startOf: (ms: number) => number | undefined },
): Map<string, UsageSums> {
  const sums = new Map<string, UsageSums>()
  for (const { intent, settlement } of calls) {
    const group: UsageGroup = {
      key: intent.keyId,
      alias: intent.alias,
      model: intent.model,
      operation: intent.operation,
      outcome: settlement?.outcome ?? 'unsettled',
      backend: settlement?.backendId ?? null,
      deployment: settlement?.deployment ?? null,
      region: settlement?.region ?? null,
    }
    const key = JSON.stringify([startOf(intent.startedAt) ?? null, ...by.map((field) => group[field])])
    const entry = sums.get(key) ?? zeroSums()
    sums.set(key, entry)
    addSums(entry, settlement ? settledSums(settlement) : { ...zeroSums(), unsettled: 1 })
  }
  return sums
}

function settledSums({
  usage,
  estimated,
  costMicroUsd,
  latencyMs,
  firstByteMs,
  hedgedTokens = 0,
}: CallSettlement): UsageSums {
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
  }
}
