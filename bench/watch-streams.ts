import { Pool } from 'undici'
import type { Shot } from './load'

/** When the pieces of streams came that were kept open side by side. */
export interface StreamWatch {
  /** Between one piece of an answer and the next, over all streams: how many, by whole milliseconds. */
  readonly gapsByMs: Uint32Array
  /** The longest gap of each stream, over all answers that it brought. */
  readonly longestGapMs: readonly number[]
  /** Events in all answers, `[DONE]` included. */
  readonly events: number
  readonly answers: number
  /** Answers of another status, that broke off, or that ended without `[DONE]`. */
  readonly errors: number
  /** For how long gaps were counted. */
  readonly seconds: number
}

export interface WatchOptions {
  readonly streams: number
  /** Counted from when the last stream has opened. */
  readonly seconds: number
  /** How long opening all of them takes: with the length of one answer, answers end as evenly as they begin. */
  readonly openingMs: number
  readonly onTick: (watchedSeconds: number) => void
  /** When counting begins, and when it ends. */
  readonly onBegin: () => void
  readonly onEnd: () => void
}

/** Longer gaps count as this. */
const GAP_MS_MAX = 60_000
const TICK_MS = 1_000
const EVENT_END = '\n\n'
const DONE = '[DONE]'

/** Keeps `streams` answers under way at once, a new one following each that ends, and watches the time between their pieces. */
export async function watchStreams(shot: Shot, { streams, seconds, openingMs, onTick, onBegin, onEnd }: WatchOptions) {
  const pool = new Pool(shot.origin, { connections: streams, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 })
  const seen = new Seen(streams)
  const openAtMs = performance.now() + openingMs
  const endAtMs = openAtMs + seconds * 1_000
  setTimeout(() => {
    seen.counting = true
    onBegin()
  }, openingMs)
  setTimeout(
    () => {
      seen.counting = false
      onEnd()
    },
    openingMs + seconds * 1_000,
  )
  const ticks = setInterval(() => {
    const watchedMs = performance.now() - openAtMs
    if (watchedMs > 0) onTick(Math.min(seconds, Math.floor(watchedMs / 1_000)))
  }, TICK_MS)
  const keepOpen = async (_: unknown, stream: number) => {
    await new Promise((resolve) => setTimeout(resolve, (openingMs * stream) / streams))
    while (performance.now() < endAtMs) await watchAnswer(pool, shot, { seen, stream })
  }
  await Promise.all(Array.from({ length: streams }, keepOpen))
  clearInterval(ticks)
  await pool.close()
  return { ...seen.sum(), seconds } satisfies StreamWatch
}

/** What is written down while pieces come: fixed arrays, so that the watching itself makes no garbage to collect. */
class Seen {
  counting = false
  events = 0
  answers = 0
  errors = 0
  readonly #gapsByMs = new Uint32Array(GAP_MS_MAX + 1)
  readonly #longestGapMs: Float64Array

  constructor(streams: number) {
    this.#longestGapMs = new Float64Array(streams)
  }

  gap(stream: number, gapMs: number): void {
    if (!this.counting) return
    const at = Math.min(GAP_MS_MAX, Math.round(gapMs))
    this.#gapsByMs[at] = (this.#gapsByMs[at] ?? 0) + 1
    if (gapMs > (this.#longestGapMs[stream] ?? 0)) this.#longestGapMs[stream] = gapMs
  }

  sum() {
    const { events, answers, errors } = this
    return { gapsByMs: this.#gapsByMs, longestGapMs: [...this.#longestGapMs], events, answers, errors }
  }
}

function watchAnswer(pool: Pool, shot: Shot, { seen, stream }: { seen: Seen; stream: number }): Promise<void> {
  return new Promise((resolve) => {
    let lastMs = 0
    let status = 0
    let last: Buffer | undefined
    const over = (whole: boolean) => {
      if (seen.counting) seen.answers += 1
      if (!whole) seen.errors += 1
      resolve()
    }
    pool.dispatch(
      { method: 'POST', path: shot.path, headers: shot.headers, body: shot.body },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, code) => {
          status = code
        },
        onResponseData: (_controller, chunk) => {
          const nowMs = performance.now()
          if (lastMs > 0) seen.gap(stream, nowMs - lastMs)
          lastMs = nowMs
          last = chunk
          if (seen.counting) seen.events += eventsIn(chunk)
        },
        onResponseEnd: () => over(status === 200 && (last?.includes(DONE) ?? false)),
        onResponseError: () => over(false),
      },
    )
  })
}

function eventsIn(chunk: Buffer): number {
  let events = 0
  for (let at = chunk.indexOf(EVENT_END); at >= 0; at = chunk.indexOf(EVENT_END, at + EVENT_END.length)) events += 1
  return events
}

/** Nearest-rank quantile of counts by value; 0 where there are none. */
export function quantileOfCounts(counts: Uint32Array, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0)
  let rank = Math.ceil(share * total)
  for (let value = 0; value < counts.length; value++) {
    rank -= counts[value] ?? 0
    if (rank <= 0) return value
  }
  return counts.length - 1
}
