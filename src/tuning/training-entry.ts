import { hash } from 'node:crypto'
import { encodeBase32, type CallId, type TenantId } from '../base/ids'
import type { MicroUsd } from '../base/money'
import { estimatePrice } from '../datasets/estimate-price'
import type { TrainingPriceList } from '../datasets/training-prices'
import type { LateEntry } from '../metering/late-usage'
import { noTokens } from '../metering/usage-record'
import { operationOf, type TuningJob } from './tuning-job'
import { modelNameOf } from './tuning-view'

const TRAINING_OPERATION = 'fine_tuning.training'

/** Whether the provider charges for it: a job that failed costs nothing, one that was cancelled what it had trained. */
export const isCharged = ({ seen }: TuningJob): boolean =>
  seen?.status === 'succeeded' || (seen?.status === 'cancelled' && (seen.trainedTokens ?? 0) > 0)

/** A training in the usage log. Pure, so that whoever repeats it writes the same. `atMs` is the claim's. */
export function trainingEntry(
  job: TuningJob,
  { tenantId, atMs, prices }: { tenantId: TenantId; atMs: number; prices: TrainingPriceList },
): LateEntry {
  const { account, by, order, seen, checked } = job
  return {
    intent: {
      callId: callIdOf(job),
      startedAt: atMs,
      tenantId,
      keyId: by.callerId,
      alias: modelNameOf(job),
      model: order.baseModel,
      operation: TRAINING_OPERATION,
      requestId: job.id,
      estimatedTokens: checked?.estimate.tokens ?? 0,
    },
    settlement: {
      outcome: 'completed',
      status: 200,
      backendId: undefined,
      deployment: undefined,
      region: account?.region,
      usage: { ...noTokens, promptTokens: seen?.trainedTokens ?? 0 },
      estimated: seen?.trainedTokens === undefined,
      costMicroUsd: costOf(job, prices),
      // Nobody waited for it.
      latencyMs: 0,
      firstByteMs: undefined,
      attempts: 1,
    },
  }
}

const HOUR_MS = 3_600_000

/** By tokens as the provider counted them, over all epochs, or by the time from its first step to its end. */
function costOf({ order, seen }: TuningJob, prices: TrainingPriceList): MicroUsd | undefined {
  const { baseModel, method, trainingType: type } = order
  const training = { baseModel, method, type, tokens: seen?.trainedTokens ?? 0, marginTokens: 0, epochs: 1 }
  const price = estimatePrice(prices, training)
  if (price.kind === 'tokens') return price.microUsd
  if (price.kind === 'unknown' || seen?.startedAt === undefined || seen.finishedAt === undefined) return undefined
  const trainedMs = Math.max(0, seen.finishedAt - seen.startedAt)
  return Math.round((trainedMs / HOUR_MS) * price.microUsdPerHour)
}

const TIME_CHARACTERS = 10
const CHANCE_BYTES = 10

/** As ids of calls are made, of the job's time and its attempt: the same whenever it is made. */
function callIdOf(job: TuningJob): CallId {
  const digest = hash('sha256', operationOf(job), 'buffer').subarray(0, CHANCE_BYTES)
  return `call_${job.id.slice('ftjob-'.length, 'ftjob-'.length + TIME_CHARACTERS)}${encodeBase32(digest)}`
}
