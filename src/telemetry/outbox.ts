import { repeat, type Clock } from '../base/clock'
import { describeError, type Log } from '../base/log'
import type { Metric } from './metric'
import type { Sink } from './sink'
import type { Span } from './span'

/** What waits to be sent, and the sending: nobody waits for it, and what it holds is bounded. */
export interface Outbox {
  /** Dropped, and counted, where too much waits. */
  put(entry: SpanMaker): void
  /** Sends all that waits and the metrics since they were last sent. Never rejects. */
  flush(): Promise<void>
  /** Sends what waits, as far as it goes within `CLOSE_MS`; then nothing is sent any more. */
  close(): Promise<void>
}

/** Spans are made when they are sent, off the data path. */
export interface SpanMaker {
  spans(): readonly Span[]
}

/** Of a call about 2 kB, so 8 MB: at a hundred kept traces a second, 40 s of a sink that hangs. */
export const HELD_MAX = 4_000
/** Making and writing them holds the process up for about 5 ms. */
const PER_SENDING = 100
const SPANS_INTERVAL_MS = 5_000
const METRICS_INTERVAL_MS = 60_000
/** What is left of the 5 s in which a stopping app must end, behind its calls and their usage (`stop-calls.ts`). */
const CLOSE_MS = 1_500

export interface OutboxDeps {
  readonly clock: Clock
  readonly log: Log
  /** Made with the first sending. */
  readonly sinks: () => Promise<readonly Sink[]>
  /** What was counted since it was last called; `dropped` are the calls and requests whose spans were lost since. */
  readonly takeMetrics: (dropped: number) => readonly Metric[]
}

export function createOutbox({ clock, log, sinks, takeMetrics }: OutboxDeps): Outbox {
  let held: SpanMaker[] = []
  let dropped = 0
  let countedFromMs = clock.now()
  let isWell = true
  let state: 'open' | 'closing' | 'closed' = 'open'
  let sinksMade: Promise<readonly Sink[]> | undefined
  let turn: Promise<void> = Promise.resolve()

  const isOver = () => state === 'closed'

  /** Whether all sinks have it. A sink that fails once is likely to fail again, and to say so once is enough. */
  const toAll = async (send: (sink: Sink) => Promise<void>): Promise<boolean> => {
    const failure = await (sinksMade ??= sinks())
      .then(async (made) => (await Promise.allSettled(made.map(send))).find((one) => one.status === 'rejected'))
      .catch((reason: unknown) => ({ reason }))
    if (failure && isWell) log.warn('telemetry could not be sent', { error: describeError(failure.reason) })
    isWell = failure === undefined
    return isWell
  }

  const sendSpans = async () => {
    while (held.length > 0 && !isOver()) {
      const batch = held.slice(0, PER_SENDING)
      held = held.slice(PER_SENDING)
      const spans = batch.flatMap((entry) => entry.spans())
      if (await toAll((sink) => sink.spans(spans))) continue
      dropped += batch.length
      // The rest waits for the next time, as far as there is room.
      return
    }
  }

  const sendMetrics = async () => {
    const metrics = takeMetrics(dropped).filter(({ points }) => points.values.length > 0)
    dropped = 0
    const interval = { startMs: countedFromMs, endMs: clock.now() }
    countedFromMs = interval.endMs
    if (metrics.length > 0) await toAll((sink) => sink.metrics(metrics, interval))
  }

  /** One sending at a time. */
  const inTurn = (work: () => Promise<void>) => (turn = turn.then(work))

  const onError = (error: unknown) => log.error('telemetry failed', { error: describeError(error) })
  const sendings = [
    repeat({ clock, onError }, SPANS_INTERVAL_MS, () => inTurn(sendSpans)),
    repeat({ clock, onError }, METRICS_INTERVAL_MS, () => inTurn(sendMetrics)),
  ]
  const flush = () =>
    inTurn(sendSpans)
      .then(() => inTurn(sendMetrics))
      .catch(onError)

  return {
    put: (entry) => {
      if (state !== 'open' || held.length >= HELD_MAX) dropped += 1
      else held.push(entry)
    },
    flush,
    close: async () => {
      if (state !== 'open') return
      state = 'closing'
      const stopped = new AbortController()
      const last = Promise.all(sendings.map((sending) => sending.stop())).then(flush)
      await Promise.race([last, clock.sleep(CLOSE_MS, stopped.signal)])
      stopped.abort()
      state = 'closed'
      await sinksMade?.then((made) => Promise.allSettled(made.map((sink) => sink.close()))).catch(() => {})
    },
  }
}
