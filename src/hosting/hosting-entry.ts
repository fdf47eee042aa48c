import { hash } from 'node:crypto'
import { encodeBase32, encodeTime, type CallId, type TenantId } from '../base/ids'
import type { MicroUsd } from '../base/money'
import type { LateEntry } from '../metering/late-usage'
import { noTokens } from '../metering/usage-record'
import type { ModelVersion } from '../registry/model-version'
import { HOUR_MS, type HostedPiece, type HostingMeter } from './hosting-meter'
import type { HostingPriceList } from './hosting-prices'

export const HOSTING_OPERATION = 'fine_tuning.hosting'

/** Usage counts in the minute that it began in, if that is less than a day before the claim (`LateClaim`). */
const BEFORE_CLAIM_MS_MAX = 24 * HOUR_MS - 60_000
const MICRO_USD_PER_USD = 1_000_000

/** One hour, or part of one, in the usage log. Pure, so that whoever repeats it writes the same. */
export function hostingEntry(
  { id, name, lineage, upstream }: ModelVersion,
  { sku, claim, sequence }: HostingMeter,
  { piece, tenantId, prices }: { piece: HostedPiece; tenantId: TenantId; prices: HostingPriceList },
): LateEntry {
  const startedAt = Math.max(piece.fromMs, (claim?.atMs ?? piece.fromMs) - BEFORE_CLAIM_MS_MAX)
  return {
    intent: {
      callId: callIdOf(`${id}/${sequence}`, piece),
      startedAt,
      tenantId,
      keyId: lineage.by,
      alias: name,
      model: lineage.baseModel,
      operation: HOSTING_OPERATION,
      requestId: id,
      estimatedTokens: 0,
    },
    settlement: {
      outcome: 'completed',
      status: 200,
      // No call was answered by it: what is idle is known by its backend's calls.
      backendId: undefined,
      deployment: undefined,
      region: upstream.region,
      usage: noTokens,
      estimated: false,
      costMicroUsd: costOf(piece, prices.usdPerHour[sku]),
      // Nobody waited for it.
      latencyMs: 0,
      firstByteMs: undefined,
      attempts: 1,
    },
  }
}

const costOf = ({ fromMs, toMs }: HostedPiece, usdPerHour: number | undefined): MicroUsd | undefined =>
  usdPerHour === undefined ? undefined : Math.round(((toMs - fromMs) / HOUR_MS) * usdPerHour * MICRO_USD_PER_USD)

const CHANCE_BYTES = 10

/** As ids of calls are made, of the piece's beginning and what it is of: the same whenever it is made. */
const callIdOf = (of: string, { fromMs }: HostedPiece): CallId =>
  `call_${encodeTime(fromMs)}${encodeBase32(hash('sha256', `${of}/${fromMs}`, 'buffer').subarray(0, CHANCE_BYTES))}`
