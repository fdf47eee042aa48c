import type { Clock } from '../base/clock'
import { describeError, type Log } from '../base/log'
import type { Sender } from './send-due'

/** Works the outbox off, by one look at a time in a process: by the timer, and as soon as something is published. */
export interface Dispatcher {
  /** Returns at once. Whoever wakes it during a look gets another one behind it. */
  wake(): void
  /** Until nothing is due, and what was is sent; how much it was. */
  run(): Promise<number>
  /** Ends behind what is under way. What is not sent then is sent by others, or after the next start. */
  close(): Promise<void>
}

/** Below the half hour that the Functions host gives an invocation. */
const RUN_MS_MAX = 10 * 60_000

export function createDispatcher({ tell, sender, clock, log }: DispatcherDeps): Dispatcher {
  let looking: Promise<number> | undefined
  let isWoken = false
  let isClosed = false

  const look = async () => {
    let taken = 0
    for (;;) {
      isWoken = false
      const some = (await tell()) + (await sender.takeOn())
      taken += some
      // What was told or forgotten may have made more due.
      if (isClosed || (some === 0 && !isWoken)) return taken
    }
  }
  const run = () => {
    isWoken = true
    return (looking ??= look().finally(() => (looking = undefined)))
  }
  return {
    wake: () => {
      if (isClosed) return
      run().catch((error: unknown) => log.warn('the outbox could not be worked off', { error: describeError(error) }))
    },
    run: async () => {
      const endsAtMs = clock.monotonicMs() + RUN_MS_MAX
      let taken = 0
      for (;;) {
        const some = await run()
        taken += some
        const isAll = await sender.idle()
        if (isClosed || (isAll && some === 0) || clock.monotonicMs() >= endsAtMs) return taken
      }
    },
    close: async () => {
      isClosed = true
      await looking?.catch(() => {})
      await sender.idle()
    },
  }
}

export interface DispatcherDeps {
  /** Brings what is to be told into the outbox; how much it was. */
  readonly tell: () => Promise<number>
  readonly sender: Sender
  readonly clock: Clock
  readonly log: Log
}
