import { hash } from 'node:crypto'
import { encodeBase32, type CallId, type TenantId } from '../base/ids'
import { tokensOfBytes } from '../inference/text-tokens'
import type { LateEntry } from '../metering/late-usage'
import type { PriceBook } from '../metering/price-book'
import { noTokens, type CallOutcome, type TokenUsage } from '../metering/usage-record'
import { kindOf } from './batch-endpoint'
import type { BatchRecord, BatchWork } from './batch-record'
import { readOutputLine } from './output-line'

export interface LineContext {
  readonly tenantId: TenantId
  readonly record: BatchRecord
  readonly work: BatchWork
  /** Of the claim under which it counts, Unix milliseconds. */
  readonly atMs: number
  readonly batchCostOf: PriceBook['batchCostOf']
}

const STATUS_UNANSWERED = 502

/** One request of a batch in the usage log. Pure, so that whoever repeats it writes the same. */
export function lineEntry(bytes: Buffer, context: LineContext): LateEntry {
  const { tenantId, record, work, atMs, batchCostOf } = context
  const { customId, status, usage: told } = readOutputLine(bytes)
  const usage = told ?? guessed(bytes, work)
  return {
    intent: {
      callId: callIdOf(record, customId),
      startedAt: atMs,
      tenantId,
      keyId: record.by.callerId,
      alias: work.alias,
      model: work.model,
      operation: `batch.${kindOf(record.endpoint) === 'chat' ? 'chat.completions' : 'responses'}`,
      requestId: record.id,
      estimatedTokens: Math.round(work.estimate.tokens / work.lines),
    },
    settlement: {
      outcome: outcomeOf(status),
      status: status ?? STATUS_UNANSWERED,
      backendId: work.backendId,
      deployment: work.deployment,
      region: work.region,
      usage,
      estimated: told === undefined,
      costMicroUsd: batchCostOf(work.model, usage, atMs),
      // Nobody waited for it: a batch has a window, not a latency.
      latencyMs: 0,
      firstByteMs: undefined,
      attempts: 1,
    },
  }
}

function outcomeOf(status: number | undefined): CallOutcome {
  if (status === undefined || status >= 500) return 'failed'
  return status < 400 ? 'completed' : 'rejected'
}

/** An answer without its usage: the mean prompt, and the answer's length. */
const guessed = (bytes: Buffer, { promptTokens, lines }: BatchWork): TokenUsage => ({
  ...noTokens,
  promptTokens: Math.round(promptTokens / lines),
  outputTokens: tokensOfBytes(bytes.length),
})

const TIME_CHARACTERS = 10
const CHANCE_BYTES = 10

/** As ids of calls are made, of the batch's time and what names the line in it: the same whenever it is made. */
function callIdOf({ id }: BatchRecord, customId: string): CallId {
  const digest = hash('sha256', `${id}/${customId}`, 'buffer').subarray(0, CHANCE_BYTES)
  return `call_${id.slice('batch_'.length, 'batch_'.length + TIME_CHARACTERS)}${encodeBase32(digest)}`
}
