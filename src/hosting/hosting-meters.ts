import type { Clock } from '../base/clock'
import type { ModelId } from '../base/ids'
import type { LateUsage } from '../metering/late-usage'
import type { ModelVersion } from '../registry/model-version'
import type { TenantScope } from '../storage/tenant-scope'
import type { HostingMeters } from '../tuning/model-deployments'
import { hostingEntry } from './hosting-entry'
import { bookableUntil, hourOf, isBooked, piecesOf, type HostingMeter } from './hosting-meter'
import type { HostingPricesAt } from './hosting-prices'
import type { MeterRows } from './meter-rows'

export interface BookedMeters extends HostingMeters {
  /** Every full hour up to now; all of it where it is gone. Repeated, late, or by many at once it books each hour once. */
  book(scope: TenantScope, model: ModelVersion): Promise<void>
}

export interface HostingMetersDeps {
  readonly rows: MeterRows
  readonly lateUsage: Pick<LateUsage, 'record'>
  readonly pricesAt: HostingPricesAt
  readonly clock: Clock
}

/** A claim and its booking for each fortnight, and as many again where one was too old to write under. */
const ROUNDS_MAX = 200

export function createHostingMeters(deps: HostingMetersDeps): BookedMeters {
  const { rows, clock } = deps

  const book: BookedMeters['book'] = async (scope, model) => {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const claimed = await rows.change(scope, model.id, (meter) => meter && withClaim(meter, clock.now()))
      if (!claimed?.claim) return
      await bookClaim(deps, scope, { model, claimed })
    }
    throw new Error(`the hosting of ${model.id} could not be booked in ${ROUNDS_MAX} rounds`)
  }

  return {
    book,
    begin: async (scope, model, { sku }) => {
      const before = await rows.get(scope, model.id)
      // What a crash left of the deployment before.
      if (before?.untilMs !== undefined && !isBooked(before)) await book(scope, model)
      await rows.change(scope, model.id, (meter) => {
        if (meter && meter.untilMs === undefined) return meter
        const nowMs = clock.now()
        const { id: modelId } = model
        const sequence = meter?.sequence ?? 0
        return { modelId, sku, fromMs: nowMs, bookedMs: nowMs, sequence, seenMs: nowMs, lookAtMs: hourOf(nowMs) }
      })
    },
    end: async (scope, model, untilMs = clock.now()) => {
      await rows.change(scope, model.id, (meter) =>
        meter && meter.untilMs === undefined
          ? // What is booked already was there.
            { ...meter, untilMs: Math.max(meter.bookedMs, meter.claim?.toMs ?? 0, untilMs) }
          : meter,
      )
      await book(scope, model)
    },
  }
}

/** With what there is to book, or as it is where there is nothing (B1). */
function withClaim(meter: HostingMeter, nowMs: number): HostingMeter {
  if (meter.claim) return meter
  const toMs = bookableUntil(meter, nowMs)
  return toMs > meter.bookedMs ? { ...meter, claim: { atMs: nowMs, toMs } } : meter
}

async function bookClaim(
  { rows, lateUsage, pricesAt }: HostingMetersDeps,
  scope: TenantScope,
  { model, claimed }: { model: ModelVersion; claimed: HostingMeter },
): Promise<void> {
  const { claim, sequence } = claimed
  if (!claim) return
  const pieces = piecesOf(claimed)
  const { tenantId } = scope
  const entries = pieces.map((piece) =>
    hostingEntry(model, claimed, { piece, tenantId, prices: pricesAt(piece.fromMs) }),
  )
  const result = await lateUsage.record({ id: logIdOf(model.id), atMs: claim.atMs, sequence }, entries)
  const counted = result.kind === 'recorded' ? pieces.length : result.entries
  const bookedMs = pieces[counted - 1]?.toMs ?? claimed.bookedMs
  await rows.change(scope, model.id, (meter) => {
    // Who was slower with the same claim has the same to say.
    if (meter?.sequence !== sequence || !meter.claim) return meter
    const { claim: _, ...rest } = meter
    return { ...rest, bookedMs, sequence: sequence + 1 }
  })
}

const logIdOf = (id: ModelId) => `hosting_${id.slice('mdl_'.length)}`
