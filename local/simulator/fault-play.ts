import { errorForStatus, fullMessage, highDemandMessage, tooManyRequests } from './errors'
import type { Exchange } from './exchange'
import { firstFor, type AimedFault, type ChosenFault } from './faults'
import type { Deployment } from './deployment'
import type { TickerWheel } from './ticker-wheel'
import { nowMs } from './ticker-wheel'

const DEFAULT_RETRY_AFTER_MS = 1_000
const HIGH_DEMAND_RETRY_AFTER_MS = 20_000
/** Long enough for the headers to be read before the reset overtakes them. */
const RESET_DELAY_MS = 20
/** How much more a false content length promises. */
const EXTRA_LENGTH_BYTES = 64

/** The fault of one call: its header's first, then its prompt's, then the deployment's standing ones. */
export function chooseFault(
  deployment: Deployment,
  byHeader: readonly AimedFault[],
  byHint: readonly AimedFault[] | undefined,
): ChosenFault | undefined {
  return firstFor(byHeader, deployment.name) ?? firstFor(byHint, deployment.name) ?? deployment.faults.choose()
}

/** Plays a fault that comes instead of an answer. False: there is an answer, which the fault may yet spoil or delay. */
export function playInsteadOfAnswer(exchange: Exchange, chosen: ChosenFault): boolean {
  const { fault } = chosen
  switch (fault.kind) {
    case 'status': {
      exchange.noteFault(chosen, true)
      const retryAfterMs = fault.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS
      const throttled = `Requests have exceeded the token rate limit of this deployment. Please retry after ${Math.ceil(retryAfterMs / 1_000)} seconds.`
      exchange.refuse(
        fault.status === 429 ? tooManyRequests(throttled, retryAfterMs, []) : errorForStatus(fault.status),
      )
      return true
    }
    case 'high-demand':
      exchange.noteFault(chosen, true)
      exchange.refuse(tooManyRequests(highDemandMessage(HIGH_DEMAND_RETRY_AFTER_MS), HIGH_DEMAND_RETRY_AFTER_MS, []))
      return true
    case 'reset':
      exchange.noteFault(chosen, true)
      exchange.reset()
      return true
    case 'stall':
      if (fault.afterTokens !== undefined) return false
      exchange.noteFault(chosen, true)
      return true
    default:
      return false
  }
}

/**
 * Sends an answer in one piece, spoiled by the fault where there is one that spoils such an answer. It is JSON unless a
 * type is named.
 */
export function sendJson(
  exchange: Exchange,
  answer: { body: string; type?: string; headers: readonly string[]; fault: ChosenFault | undefined },
  wheel: TickerWheel,
): void {
  const { body, type, headers, fault } = answer
  const spoil = () => {
    if (fault !== undefined) exchange.noteFault(fault, true)
  }
  const half = body.slice(0, Math.floor(body.length / 2))
  switch (fault?.fault.kind) {
    case 'malformed-json':
      spoil()
      return exchange.json(200, half, headers)
    case 'wrong-content-length':
      spoil()
      return exchange.json(200, body, headers, Buffer.byteLength(body) + EXTRA_LENGTH_BYTES)
    case 'cut':
      spoil()
      return exchange.json(200, half, headers, Buffer.byteLength(body))
    case 'mid-stream-error':
      spoil()
      return exchange.refuse(errorForStatus(500))
    case 'throttled-stream':
      spoil()
      return exchange.refuse(tooManyRequests(fullMessage, DEFAULT_RETRY_AFTER_MS, []))
    case 'stall':
      return spoil()
    case 'reset-after-headers':
      spoil()
      return resetAfterHeaders(exchange, headers, wheel)
    default:
      if (fault !== undefined) exchange.noteFault(fault, false)
      if (type !== undefined) return exchange.content(body, type, headers)
      return exchange.answer(body, headers)
  }
}

export function resetAfterHeaders(exchange: Exchange, headers: readonly string[], wheel: TickerWheel): void {
  exchange.openStream(headers)
  exchange.flush()
  wheel.at(nowMs() + RESET_DELAY_MS, () => exchange.reset())
}
