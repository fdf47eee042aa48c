import type { TimerFunctionOptions } from '@azure/functions'
import { input } from 'durable-functions'
import type { Orchestrations } from '../base/durable-steps'
import { durableOrchestrations } from './durable/durable-orchestrations'

/**
 * Everything that runs by the clock, with the NCRONTAB schedule by which it does (second, minute, hour, day, month, weekday; UTC).
 * Each may come late, twice at once or after a crash: what it leaves behind is the same. They begin at different seconds
 * where they can, since they share one process.
 */
const schedules = {
  /** The sums are the same however often they are made (I9). */
  'roll-up-usage': '0 * * * * *',
  /** What is written is not written again, until it is final. */
  'report-usage': '45 15 * * * *',
  /** A blob that was taken is not there to be taken again. */
  'keep-usage-log': '45 40 2 * * *',
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
  /** A minute that is judged is not judged again. It rolls up what it needs itself. */
  'watch-neighbours': '15 * * * * *',
  /** A minute that is judged is not judged again. Behind the roll-up of the minute. */
  'watch-slas': '25 * * * * *',
  /** A report that is frozen stays as it is. */
  'freeze-sla-reports': '20 10 4 * * *',
  /** One run a day; later times go on with one that was broken off, and else find nothing to do. */
  'forecast-capacity': '50 12 * * * *',
  /** The first measure of a day counts. */
  'measure-storage': '35 5 * * * *',
  /** A day’s sheets and a month’s invoices are inserted once, by whoever is first. */
  'bill-tenants': '5 25 * * * *',
  /** What is too old is told by its month. */
  'remove-old-invoices': '45 15 4 * * *',
  'remove-expired-exports': '0 30 * * * *',
  'remove-old-budgets': '0 40 3 * * *',
  /** A message is sent by whoever takes it first. */
  'send-notifications': '40 * * * * *',
  /** An hour that is compared twice says the same. */
  'reconcile-usage': '10 35 * * * *',
  /** What goes is told by what is there. Each purge has one round a day, in as many runs as it takes. */
  'keep-house': '10 50 * * * *',
  /** Who was told of a key is not told again. */
  'watch-key-expiry': '10 10 6 * * *',
  /** A warning is given once. */
  'watch-budgets': '10 20 * * * *',
  /** A rotation is claimed before it is begun. */
  'rotate-keys': '15 */10 * * * *',
  'watch-rotation': '10 25 6 * * *',
} as const

export type TimerName = keyof typeof schedules

/** What each timer does, with the host's orchestrations at hand. A failure is thrown: the host logs it, and the next time tries again. */
export type Timers = Readonly<Record<TimerName, (orchestrations: Orchestrations) => Promise<void>>>

export interface TimerApp {
  timer(name: string, options: TimerFunctionOptions): void
}

export function registerTimers(app: TimerApp, timers: Timers): void {
  for (const name of Object.keys(schedules) as TimerName[]) {
    app.timer(name, {
      schedule: schedules[name],
      extraInputs: [input.durableClient()],
      // The client behind it is made by whoever asks it something; most timers never do.
      handler: (_timer, context) => timers[name](durableOrchestrations(context)),
    })
  }
}
