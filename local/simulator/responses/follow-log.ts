import type { Exchange } from '../exchange'
import type { ChosenFault } from '../faults'
import type { EventLog } from './event-log'

const BATCH_EVENTS_MAX = 128
/** Of a cut stream's events these come before its first token. */
const OPENING_EVENTS = 4

/**
 * Sends a response's events from one on, those to come included. A slow reader is waited for. The faults `cut` and `stall`
 * are of this connection only: the response goes on, and can be followed again.
 */
export function followLog(
  exchange: Exchange,
  log: EventLog,
  { from, headers, fault }: { from: number; headers: readonly string[]; fault: ChosenFault | undefined },
): void {
  const until = endOf(fault)
  if (until !== undefined && fault !== undefined) exchange.noteFault(fault, true)
  exchange.openStream(headers)
  exchange.flush()
  let next = from
  const send = () => {
    if (exchange.closed) return
    while (next < log.length) {
      const eventsMax = Math.min(BATCH_EVENTS_MAX, until === undefined ? BATCH_EVENTS_MAX : until.events - next)
      if (eventsMax <= 0) return until?.kind === 'cut' ? exchange.cut() : undefined
      const events = log.from(next, eventsMax)
      next += events.length
      if (!exchange.write(events.join(''), 0)) return exchange.onceDrained(send)
    }
    if (log.over) exchange.end('', 0)
    else log.onceMore(send)
  }
  send()
}

function endOf(chosen: ChosenFault | undefined): { kind: 'cut' | 'silent'; events: number } | undefined {
  const fault = chosen?.fault
  if (fault?.kind === 'cut') return { kind: 'cut', events: OPENING_EVENTS + fault.afterTokens }
  if (fault?.kind === 'stall') return { kind: 'silent', events: OPENING_EVENTS + (fault.afterTokens ?? 0) }
  return undefined
}
