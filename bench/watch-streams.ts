import { createConnection, type Socket } from 'node:net'
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
  /** Answers that were not whole, by their status; 0 where the connection broke, 200 where `[DONE]` was missing. */
  readonly errors: Readonly<Record<number, number>>
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
const EVENT_END = Buffer.from('\n\n')
const DONE = Buffer.from('[DONE]')
/** What ends a body in chunks (RFC 9112, section 7.1). Text of ours never holds it. */
const BODY_END = Buffer.from('0\r\n\r\n')
/** Holds `[DONE]` and the end of the body. */
const TAIL_BYTES = 64
const READ_BYTES = 64 * 1_024
/** Before a connection that broke is made anew. */
const RECONNECT_MS = 100

/** Keeps `streams` answers under way at once, a new one following each that ends, and watches the time between their pieces. */
export async function watchStreams(shot: Shot, { streams, seconds, openingMs, onTick, onBegin, onEnd }: WatchOptions) {
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
    const watcher = new StreamWatcher(shot, { seen, stream })
    while (performance.now() < endAtMs) await watcher.answer()
    watcher.close()
  }
  await Promise.all(Array.from({ length: streams }, keepOpen))
  clearInterval(ticks)
  return { ...seen.sum(), seconds } satisfies StreamWatch
}

/** What is written down while pieces come: fixed arrays, so that the watching itself makes no garbage to collect. */
class Seen {
  counting = false
  events = 0
  answers = 0
  readonly #errors = new Map<number, number>()
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

  error(status: number): void {
    this.#errors.set(status, (this.#errors.get(status) ?? 0) + 1)
  }

  sum() {
    const { events, answers } = this
    const errors = Object.fromEntries(this.#errors)
    return { gapsByMs: this.#gapsByMs, longestGapMs: [...this.#longestGapMs], events, answers, errors }
  }
}

/**
 * One stream's connection, by hand: a client of HTTP that does everything takes more of the machine than all that is measured.
 * It knows keep-alive, and the end of a body in chunks.
 */
class StreamWatcher {
  readonly #request: string
  readonly #origin: URL
  readonly #seen: Seen
  readonly #stream: number
  #socket: Socket | undefined
  #onOver: () => void = () => {}
  #status = 0
  /** What came last: an answer's last marks may come in two pieces. */
  readonly #tail = Buffer.alloc(TAIL_BYTES)
  #lastMs = 0

  constructor({ origin, path, headers, body }: Shot, { seen, stream }: { seen: Seen; stream: number }) {
    this.#origin = new URL(origin)
    this.#seen = seen
    this.#stream = stream
    const all = { host: this.#origin.host, ...headers, 'content-length': Buffer.byteLength(body) }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    this.#request = `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
  }

  /** Asks, and resolves when the answer is over, whatever it was. */
  async answer(): Promise<void> {
    this.#status = 0
    this.#lastMs = 0
    this.#tail.fill(0)
    await new Promise<void>((resolve) => {
      this.#onOver = resolve
      this.#socket ??= this.#connect()
      this.#socket.write(this.#request)
    })
    if (this.#seen.counting) this.#seen.answers += 1
    const isWhole = this.#status === 200 && this.#tail.includes(DONE)
    if (!isWhole) this.#seen.error(this.#status)
    if (!this.#socket) await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS))
  }

  close(): void {
    this.#socket?.destroy()
  }

  #connect(): Socket {
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    const socket = createConnection({
      host: this.#origin.hostname,
      port: Number(this.#origin.port),
      noDelay: true,
      onread: {
        buffer,
        callback: (bytes) => {
          this.#read(buffer.subarray(0, bytes))
          return true
        },
      },
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#socket = undefined
      this.#onOver()
    })
    return socket
  }

  #read(piece: Buffer): void {
    const nowMs = performance.now()
    if (this.#status === 0) this.#status = Number(piece.toString('latin1', 9, 12))
    if (this.#lastMs > 0) this.#seen.gap(this.#stream, nowMs - this.#lastMs)
    this.#lastMs = nowMs
    if (this.#seen.counting) this.#seen.events += eventsIn(piece)
    // How long a refusal is does not matter; its connection is not used again.
    if (this.#status !== 200) return void this.#socket?.destroy()
    this.#keepTail(piece)
    if (this.#tail.subarray(-BODY_END.length).equals(BODY_END)) this.#onOver()
  }

  #keepTail(piece: Buffer): void {
    if (piece.length < TAIL_BYTES) this.#tail.copyWithin(0, piece.length)
    piece.copy(this.#tail, Math.max(0, TAIL_BYTES - piece.length), Math.max(0, piece.length - TAIL_BYTES))
  }
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
