import type { HostFunction } from '../../../local/host/core/registry'
import type { TriggerInput } from '../../../local/host/core/run-function'
import type { ScheduleMonitor, ScheduleStatus } from '../../../local/host/timers/schedule-status'
import { startTimer } from '../../../local/host/timers/timer-listener'
import { handHostClock } from './durable-harness'

const HOUR_MS = 3_600_000
const settle = async () => {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
}

function timerFunction(schedule: string, options: object = {}): HostFunction {
  const trigger = { type: 'timerTrigger', direction: 'in' as const, schedule, ...options }
  const metadata = { name: 'tick', bindings: { timer: trigger } }
  const none = new Map<string, never>()
  return { name: 'tick', metadata, callback: () => {}, triggerName: 'timer', trigger, inputs: none, outputs: none }
}

/** A timer that runs against a clock moved by hand; `state` outlives it, as the status blob does. */
function run(fn: HostFunction, state: { status: ScheduleStatus | undefined }, startMs: number) {
  const clock = handHostClock(startMs)
  const runs: { atMs: number; isPastDue: boolean }[] = []
  const monitor: ScheduleMonitor = {
    read: () => Promise.resolve(state.status),
    write: (status) => {
      state.status = status
      return Promise.resolve()
    },
  }
  const listener = startTimer(
    {
      clock,
      monitorOf: () => monitor,
      log: { write: () => {} },
      run: (_fn, { data }: TriggerInput) => {
        const { IsPastDue } = JSON.parse(data.string ?? '') as { IsPastDue: boolean }
        runs.push({ atMs: clock.now(), isPastDue: IsPastDue })
        return Promise.resolve({ kind: 'done', result: undefined, response: {} })
      },
    },
    fn,
  )
  return { clock, runs, listener }
}

describe('a timer', () => {
  const startMs = Date.UTC(2026, 0, 1, 10, 30)
  const hourly = timerFunction('0 0 * * * *')

  it('runs at each occurrence, once', async () => {
    const { clock, runs } = run(hourly, { status: undefined }, startMs)
    for (let i = 0; i < 3; i++) {
      await settle()
      clock.next()
    }
    await settle()

    expect(runs.map(({ atMs }) => atMs - startMs)).toEqual([0.5, 1.5, 2.5].map((hours) => hours * HOUR_MS))
  })

  it('that missed an occurrence while no host ran catches up once, and says that it is late', async () => {
    const state = { status: undefined }
    const first = run(hourly, state, startMs)
    await settle()
    await first.listener.stop()
    const second = run(hourly, state, startMs + 5 * HOUR_MS)
    await settle()

    expect(second.runs).toEqual([{ atMs: startMs + 5 * HOUR_MS, isPastDue: true }])
    second.clock.next()
    await settle()
    expect(second.runs[1]).toEqual({ atMs: startMs + 5.5 * HOUR_MS, isPastDue: false })
  })

  it('catches up after a restart that follows a normal run as well', async () => {
    const state = { status: undefined }
    const first = run(hourly, state, startMs)
    await settle()
    first.clock.next()
    await settle()
    await first.listener.stop()
    const second = run(hourly, state, startMs + 3 * HOUR_MS)
    await settle()

    expect(second.runs).toEqual([{ atMs: startMs + 3 * HOUR_MS, isPastDue: true }])
  })

  it('whose schedule was changed has missed nothing', async () => {
    const state = { status: undefined }
    const first = run(hourly, state, startMs)
    await settle()
    await first.listener.stop()
    const second = run(timerFunction('0 15 * * * *'), state, startMs + 5 * HOUR_MS)
    await settle()

    expect(second.runs).toEqual([])
  })

  it('runs at the start when it is told to, and not twice when it is also late', async () => {
    const eager = timerFunction('0 0 * * * *', { runOnStartup: true })
    const state = { status: undefined }
    const first = run(eager, state, startMs)
    await settle()
    expect(first.runs).toEqual([{ atMs: startMs, isPastDue: false }])
    await first.listener.stop()

    const second = run(eager, state, startMs + 5 * HOUR_MS)
    await settle()
    expect(second.runs).toEqual([{ atMs: startMs + 5 * HOUR_MS, isPastDue: true }])
  })
})
