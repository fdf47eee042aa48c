import { assert } from '../base/assert'
import type { Clock } from '../base/clock'
import type { CallId, ResponseId } from '../base/ids'
import { isOverStatus, type EndedResponse } from '../inference/binding'
import { chainTokens } from '../inference/made-response'
import type { LateEntry, LateUsage } from '../metering/late-usage'
import type { PriceBook } from '../metering/price-book'
import { noTokens } from '../metering/usage-record'
import type { TenantScope } from '../storage/tenant-scope'
import type { OpenResponses } from './open-responses'
import type { ResponseMetering, ResponseRecord } from './response-record'
import type { ResponseStore } from './response-store'

/**
 * Notes that a response is over, and meters one that was made in the background: once, whoever learns of it and however often.
 * Does nothing for one that is gone. Throws where storage does not take it; then repeat.
 */
export type EndResponse = (scope: TenantScope, id: ResponseId, ended: EndedResponse) => Promise<void>

export interface EndDeps {
  readonly store: ResponseStore
  readonly open: OpenResponses
  readonly lateUsage: Pick<LateUsage, 'record'>
  readonly costOf: PriceBook['costOf']
  readonly clock: Clock
}

type Claim = Extract<ResponseMetering, { kind: 'claimed' }>

/** A claim that is too old is made anew; the one after it is of this moment. */
const CLAIMS_MAX = 3

/**
 * What it used is stored with the claim, by compare-and-swap, before it is entered under it: so whoever goes on after a crash enters
 * the same, and it counts once.
 */
export function createEndResponse({ store, open, lateUsage, costOf, clock }: EndDeps): EndResponse {
  return async (scope, id, ended) => {
    assert(isOverStatus(ended.status), 'a response that ends is over')
    const { tenantId } = scope
    for (let claims = 0; claims < CLAIMS_MAX; claims++) {
      const record = await store.change(scope, id, (before) => claimed(afterEnd(before, ended), ended, clock.now()))
      if (record?.metering?.kind !== 'claimed') return record?.metering ? open.remove({ tenantId, id }) : undefined
      const { metering } = record
      const { atMs, sequence } = metering
      const result = await lateUsage.record({ id, atMs, sequence }, [entryOf(record, metering, costOf)])
      const isMetered = result.kind === 'recorded' || result.entries > 0
      const next: ResponseMetering = isMetered
        ? { kind: 'metered' }
        : { ...metering, atMs: Math.floor(clock.now()), sequence: sequence + 1 }
      await store.change(scope, id, (before) =>
        // Who was slower with the same claim has the same to say.
        before.metering?.kind === 'claimed' && before.metering.sequence === sequence
          ? { ...before, metering: next }
          : before,
      )
      if (isMetered) return open.remove({ tenantId, id })
    }
    throw new Error('the usage of a response could not be entered in time')
  }
}

/** Whether its usage is still to be entered. */
export const isUnmetered = ({ metering }: ResponseRecord): boolean =>
  metering !== undefined && metering.kind !== 'metered'

/** What is known of a response once it is over. */
export function afterEnd(record: ResponseRecord, { status, usage, itemIds }: EndedResponse): ResponseRecord {
  if (isOverStatus(record.status)) return record
  return { ...record, status, itemIds, tokens: usage ? chainTokens(usage) : record.tokens }
}

function claimed(record: ResponseRecord, { usage }: EndedResponse, nowMs: number): ResponseRecord {
  if (record.metering?.kind !== 'open') return record
  const claim: Claim = {
    kind: 'claimed',
    atMs: Math.floor(nowMs),
    sequence: 0,
    // What was called off or failed reports nothing; its prompt was read.
    usage: usage ?? { ...noTokens, promptTokens: record.estimate.prompt },
    isEstimated: usage === undefined,
  }
  return { ...record, metering: claim }
}

const STATUS = 200

/** Pure, so that whoever repeats it writes the same. */
function entryOf(record: ResponseRecord, { atMs, usage, isEstimated }: Claim, costOf: PriceBook['costOf']): LateEntry {
  const { id, holder, status, estimate } = record
  return {
    intent: {
      callId: callIdOf(id),
      startedAt: atMs,
      tenantId: record.meteredOn,
      keyId: record.by,
      alias: record.alias,
      model: record.model,
      operation: 'responses.background',
      requestId: record.requestId,
      estimatedTokens: estimate.total,
    },
    settlement: {
      outcome: status === 'completed' || status === 'incomplete' ? 'completed' : 'interrupted',
      status: STATUS,
      backendId: holder.backendId,
      deployment: holder.deployment,
      region: holder.region,
      usage,
      estimated: isEstimated,
      costMicroUsd: costOf(record.model, usage, atMs),
      // Nobody waited for it.
      latencyMs: 0,
      firstByteMs: undefined,
      attempts: 1,
    },
  }
}

/** An id of its own for what the response used, beside that of the call which began it. */
const callIdOf = (id: ResponseId): CallId => `call_${id.slice('resp_'.length)}`
