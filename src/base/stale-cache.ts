import type { Clock } from './clock'

/**
 * A bounded cache that shows what it holds for `freshMs`, then shows it while it reads it anew, and after `staleMs`
 * waits for the new reading. Ages count from the start of the read, so no answer is older than `staleMs`.
 */
export interface StaleCache<K, V> {
  /**
   * At once where a value is younger than `staleMs`: the steady state never awaits. Otherwise waits for one read, shared
   * by everyone who asks meanwhile; rejects as that read rejects.
   */
  get(key: K): V | Promise<V>
  /** Whether `get` would answer at once. */
  has(key: K): boolean
  /** The next `get` reads anew, and a read that is under way is not kept: it may have begun before the change. */
  forget(key: K): void
}

export interface StaleCacheOptions<K, V> {
  readonly clock: Clock
  readonly load: (key: K) => Promise<V>
  readonly freshMs: number
  readonly staleMs: number
  /**
   * The most of the time that may go into reading one value, as a share: what takes long to read is shown as fresh for longer,
   * up to half of `staleMs`. Absent: `freshMs` holds however long a read takes.
   */
  readonly readShareMax?: number
  /** The values read longest ago leave first. A value in use is read every `freshMs`, so these are the idle ones. */
  readonly entriesMax: number
  /** Told of reads that failed behind a value that could still be shown. */
  readonly onError: (error: unknown) => void
  /** What tells keys apart; only needed where a key is not a string. */
  readonly idOf?: (key: K) => string
}

/** After a failed read the old value is shown this long before the next attempt, lest an outage meet a storm of reads. */
const RETRY_PAUSE_MS = 1_000

interface Entry<V> {
  readonly value: V
  readonly readAtMs: number
  /** No refresh begins before this. */
  refreshFromMs: number
}

export function createStaleCache<K, V>(options: StaleCacheOptions<K, V>): StaleCache<K, V> {
  const { clock, load, freshMs, staleMs, readShareMax = Infinity, entriesMax, onError } = options
  const idOf = options.idOf ?? String
  const entries = new Map<string, Entry<V>>()
  const reading = new Map<string, Promise<V>>()

  const read = (id: string, key: K): Promise<V> => {
    const underWay = reading.get(id)
    if (underWay) return underWay
    const startedMs = clock.monotonicMs()
    const finished = load(key).then(
      (value) => {
        // A read that `forget` has disowned in the meantime answers those who wait for it, but is not kept.
        if (reading.get(id) !== finished) return value
        reading.delete(id)
        const restMs = Math.min((clock.monotonicMs() - startedMs) / readShareMax, staleMs / 2)
        keep(id, { value, readAtMs: startedMs, refreshFromMs: startedMs + Math.max(freshMs, restMs) })
        return value
      },
      (error: unknown) => {
        if (reading.get(id) === finished) reading.delete(id)
        throw error
      },
    )
    reading.set(id, finished)
    return finished
  }

  const keep = (id: string, entry: Entry<V>) => {
    // Deleting first moves the entry to the young end of the map's order.
    entries.delete(id)
    entries.set(id, entry)
    if (entries.size <= entriesMax) return
    const oldest = entries.keys().next()
    if (!oldest.done) entries.delete(oldest.value)
  }

  const refresh = (id: string, key: K, entry: Entry<V>) => {
    read(id, key).catch((error: unknown) => {
      entry.refreshFromMs = clock.monotonicMs() + RETRY_PAUSE_MS
      onError(error)
    })
  }

  const live = (id: string, nowMs: number) => {
    const entry = entries.get(id)
    return entry !== undefined && nowMs - entry.readAtMs < staleMs ? entry : undefined
  }

  return {
    get: (key) => {
      const id = idOf(key)
      const nowMs = clock.monotonicMs()
      const entry = live(id, nowMs)
      if (!entry) return read(id, key)
      if (nowMs >= entry.refreshFromMs && !reading.has(id)) refresh(id, key, entry)
      return entry.value
    },
    has: (key) => live(idOf(key), clock.monotonicMs()) !== undefined,
    forget: (key) => {
      const id = idOf(key)
      entries.delete(id)
      reading.delete(id)
    },
  }
}
