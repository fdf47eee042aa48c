import type { TimerFunctionOptions } from '@azure/functions'

/**
 * Everything that runs by the clock, with the NCRONTAB schedule by which it does (second, minute, hour, day, month, weekday; UTC).
 * Each may come late, twice at once or after a crash: what it leaves behind is the same. They begin at different seconds
 * where they can, since they share one process.
 */
const schedules = {
  /** The sums are the same however often they are made (I9). */
  'roll-up-usage': '0 * * * * *',
  /** What a response in the background used counts once. */
  'follow-up-responses': '20 * * * * *',
  /** Expired files are out of sight already. */
  'sweep-files': '0 */5 * * * *',
  /** What is copied is what is there, and whoever comes second finds it done. */
  'replicate-tenants': '0 */5 * * * *',
  /** Of a model there is something to do once an hour. */
  'look-after-models': '30 */5 * * * *',
  'watch-shared-models': '30 */5 * * * *',
  /** What is written is what was counted, and what was begun is not begun again. */
  'watch-drift': '0 20 * * * *',
  'remove-expired-exports': '0 30 * * * *',
  'remove-old-budgets': '0 40 3 * * *',
} as const

export type TimerName = keyof typeof schedules

/** What each timer does. A failure is thrown: the host logs it, and the next time tries again. */
export type Timers = Readonly<Record<TimerName, () => Promise<void>>>

export interface TimerApp {
  timer(name: string, options: TimerFunctionOptions): void
}

export function registerTimers(app: TimerApp, timers: Timers): void {
  for (const name of Object.keys(schedules) as TimerName[]) {
    app.timer(name, { schedule: schedules[name], handler: () => timers[name]() })
  }
}
