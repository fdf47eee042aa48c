import { bindingText } from '../core/binding-text'
import type { HostFunction } from '../core/registry'
import { type FunctionRunner, runLogged } from '../core/run-function'
import { type HostClock, sleepUntil } from '../clock'
import { describeError, type HostLog } from '../log'
import { parseNcrontab, type Schedule } from './ncrontab'
import { noMonitor, type ScheduleMonitor, type ScheduleStatus, statusJson } from './schedule-status'

/** Schedules that come round more often than this are not monitored: catching up with a missed run makes no sense. */
const MONITORED_INTERVAL_MS_MIN = 60_000
const STATUS_RETRY_MS = 5_000

interface Deps {
  readonly clock: HostClock
  readonly run: FunctionRunner
  readonly monitorOf: (functionName: string) => ScheduleMonitor
  readonly log: HostLog
}

export interface TimerListener {
  stop(): Promise<void>
  startByHand(): void
}

/** Runs one timer function on its schedule. Runs never overlap: the next one is planned when the last has ended. */
export function startTimer(deps: Deps, fn: HostFunction): TimerListener {
  const { clock, log } = deps
  const timer = new Timer(deps, fn)
  const stopping = new AbortController()
  const loop = async () => {
    while (!stopping.signal.aborted) {
      try {
        return await timer.runOn(stopping.signal)
      } catch (error) {
        // The storage failed; a timer must come back when the storage does.
        log.write('error', fn.name, `the timer stumbled: ${describeError(error)}`)
        await sleepUntil(clock, clock.now() + STATUS_RETRY_MS, stopping.signal)
      }
    }
  }
  const ended = loop()
  return {
    stop: () => {
      stopping.abort()
      return ended
    },
    startByHand: () => void timer.invoke(clock.now(), false),
  }
}

class Timer {
  private readonly schedule: Schedule
  private readonly monitor: ScheduleMonitor
  private status: ScheduleStatus | undefined
  private hasStarted = false

  constructor(
    private readonly deps: Deps,
    private readonly fn: HostFunction,
  ) {
    this.schedule = parseNcrontab(bindingText(fn.trigger, 'schedule'))
    const nowMs = deps.clock.now()
    const firstMs = this.schedule.next(nowMs) ?? Infinity
    const intervalMs = (this.schedule.next(firstMs) ?? Infinity) - firstMs
    const isMonitored = fn.trigger['useMonitor'] !== false && intervalMs >= MONITORED_INTERVAL_MS_MIN
    this.monitor = isMonitored ? deps.monitorOf(fn.name) : noMonitor
  }

  async runOn(stop: AbortSignal): Promise<void> {
    const { clock } = this.deps
    const missed = await this.findMissed()
    if (missed !== undefined) await this.occur(missed, true)
    else if (this.fn.trigger['runOnStartup'] === true && !this.hasStarted) await this.occur(clock.now(), false)
    this.hasStarted = true
    for (;;) {
      const dueMs = this.status?.nextMs ?? this.schedule.next(clock.now())
      if (dueMs === undefined) return
      await sleepUntil(clock, dueMs, stop)
      if (stop.aborted) return
      await this.occur(dueMs, false)
    }
  }

  /** The occurrence that fell due while no host ran. Status of another schedule than today's says nothing. */
  private async findMissed(): Promise<number | undefined> {
    const nowMs = this.deps.clock.now()
    const stored = await this.monitor.read()
    const base = stored && (stored.lastMs || stored.lastUpdatedMs)
    if (stored && base !== undefined && this.schedule.next(base) === stored.nextMs) {
      this.status = stored
      return stored.nextMs <= nowMs ? stored.nextMs : undefined
    }
    await this.plan({ lastMs: 0, afterMs: nowMs })
    return undefined
  }

  private async occur(dueMs: number, isPastDue: boolean): Promise<void> {
    await this.invoke(dueMs, isPastDue)
    // The later of both: after an early wake-up `now` alone would give the same slot again.
    await this.plan({ lastMs: dueMs, afterMs: Math.max(this.deps.clock.now(), dueMs) })
  }

  async invoke(dueMs: number, isPastDue: boolean): Promise<void> {
    const fallback = { lastMs: 0, nextMs: this.schedule.next(dueMs) ?? 0, lastUpdatedMs: dueMs }
    const status = statusJson(this.status ?? fallback)
    const input = { Schedule: { AdjustForDST: true }, ScheduleStatus: status, IsPastDue: isPastDue }
    await runLogged(this.deps, this.fn, { data: { string: JSON.stringify(input) } })
  }

  private async plan({ lastMs, afterMs }: { lastMs: number; afterMs: number }): Promise<void> {
    const nextMs = this.schedule.next(afterMs)
    if (nextMs === undefined) {
      this.status = undefined
      return
    }
    // `afterMs` is kept as the time from which `nextMs` can be computed again; see findMissed.
    this.status = { lastMs: lastMs === 0 ? 0 : afterMs, nextMs, lastUpdatedMs: afterMs }
    await this.monitor.write(this.status)
  }
}
