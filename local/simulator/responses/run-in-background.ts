import type { BackgroundWork } from '../background-work'
import type { ChosenFault } from '../faults'
import type { Pace } from '../latency'
import { nowMs, type TickerWheel } from '../ticker-wheel'
import { EventLog } from './event-log'
import { ResponseEvents } from './response-events'
import type { ResponseRun } from './response-run'
import { serverFailure, throttleFailure } from './response-script'

export interface BackgroundRun {
  readonly run: ResponseRun
  readonly pace: Pace
  readonly fault: ChosenFault | undefined
  readonly queuedMs: number
  /** Whether its events are kept for those who follow it. */
  readonly logged: boolean
}

/** Takes a response from queued to its end, whoever listens. */
export function runInBackground(work: BackgroundWork, background: BackgroundRun, wheel: TickerWheel): void {
  const { run, pace, fault, queuedMs, logged } = background
  const events = new ResponseEvents(run)
  const log = logged ? new EventLog() : undefined
  run.log = log
  const failure = failureOf(fault, events.steps)
  log?.append([events.standing('created'), events.standing('queued')])
  run.onCancel(() => {
    log?.end()
    work.end('cancelled')
  })

  const begin = () => {
    if (run.isOver) return
    run.begin()
    log?.append([events.standing('in_progress')])
    const firstAtMs = nowMs() + pace.firstTokenMs
    wheel.at(firstAtMs, () => advance(0, firstAtMs))
  }
  const advance = (done: number, firstAtMs: number) => {
    if (run.isOver) return
    const until = failure?.steps ?? events.steps
    const due = pace.tokenMs === 0 ? until : Math.floor((nowMs() - firstAtMs) / pace.tokenMs) + 1
    let next = done
    for (; next < Math.min(due, until); next++) {
      log?.append(events.step(next))
      work.record.tokensSent += events.tokens(next)
    }
    if (next < until) return wheel.at(firstAtMs + next * pace.tokenMs, () => advance(next, firstAtMs))
    end()
  }
  const end = () => {
    if (failure !== undefined && fault !== undefined) {
      work.record.fault = fault.text
      run.fail(failure.error)
      log?.append([events.ending()])
    } else {
      run.finish()
      log?.append(events.closing())
    }
    log?.end()
    work.record.status = 200
    work.end(failure === undefined ? 'completed' : 'faulted')
  }
  wheel.at(nowMs() + queuedMs, begin)
}

function failureOf(chosen: ChosenFault | undefined, steps: number) {
  if (chosen?.fault.kind === 'throttled-stream') return { steps: 0, error: throttleFailure }
  if (chosen?.fault.kind !== 'mid-stream-error') return undefined
  return { steps: Math.min(steps, chosen.fault.afterTokens), error: serverFailure }
}
