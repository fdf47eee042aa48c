import { isProblemCode, problemCodes } from '../base/problem-codes'
import { noMedia, type CallSettlement, type CallTally } from '../metering/usage-record'
import { zeroSums, type UsageOutcome, type UsageSums } from './usage-sums'

/** A call that never reached a backend. */
export const undispatched = (status: number): 'refused' | 'unavailable' => (status === 429 ? 'refused' : 'unavailable')

/** A call that failed before a backend was asked (a full queue, none that serves it) is no failure of any backend. */
export function outcomeOf({ outcome, status, attempts }: CallSettlement): UsageOutcome {
  const isOurs = outcome === 'failed' && attempts === 0 && (status === 429 || status >= 500)
  return isOurs ? undispatched(status) : outcome
}

/** Of one call as it ended; its times are for sketches besides (usage-sketches.ts). */
export function sumsOfCall(settlement: CallSettlement): UsageSums {
  const sums = zeroSums()
  const outcome = outcomeOf(settlement)
  if (settlement.code !== undefined) blame(sums, settlement.code, 1)
  if (outcome === 'refused' || outcome === 'unavailable') {
    sums[outcome]++
    return sums
  }
  const { usage, costMicroUsd, firstByteMs, queuedMs = 0 } = settlement
  sums.calls++
  if (settlement.estimated) sums.estimated++
  if (costMicroUsd === undefined) sums.unpriced++
  sums.promptTokens += usage.promptTokens
  sums.cachedTokens += usage.cachedTokens
  sums.outputTokens += usage.outputTokens
  sums.reasoningTokens += usage.reasoningTokens
  sums.costMicroUsd += costMicroUsd ?? 0
  sums.latencyMs += settlement.latencyMs
  const { imageTokens, images, audioMs, characters } = usage.media ?? noMedia
  sums.imageTokens += imageTokens
  sums.images += images
  sums.audioMs += audioMs
  sums.characters += characters
  sums.hedgedTokens += settlement.hedgedTokens ?? 0
  sums.throttled += settlement.throttledAttempts ?? 0
  sums.queuedMs += queuedMs
  if (queuedMs > 0) sums.queuedCalls++
  if (firstByteMs !== undefined) {
    sums.firstByteMs += firstByteMs
    sums.firstByteCalls++
  }
  return sums
}

/** Of calls that were counted together, of which none had an entry of its own. */
export function sumsOfTally({ status, code, calls }: CallTally): UsageSums {
  const sums = zeroSums()
  sums[undispatched(status)] += calls
  blame(sums, code, calls)
  return sums
}

/** By the registry of problems; a code that it does not know any more is nobody’s. */
function blame(sums: UsageSums, code: string, calls: number): void {
  if (!isProblemCode(code)) return
  const { blame: whose } = problemCodes[code]
  if (whose === 'caller') sums.callerFaults += calls
  if (whose === 'tenant') sums.tenantFaults += calls
}

/** Of whose calls time is measured: those of others say nothing of a backend. */
export const isSketched = (outcome: UsageOutcome) => outcome === 'completed' || outcome === 'interrupted'
