import { Pool } from 'undici'

/** What one load run sends, over and over. */
export interface Shot {
  readonly origin: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: string
}

export interface LoadResult {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly errors: number
}

/** Keeps `connections` requests under way for `durationMs` and measures each from sending to its last byte. */
export async function runLoad(shot: Shot, connections: number, durationMs: number): Promise<LoadResult> {
  const pool = new Pool(shot.origin, { connections, pipelining: 1 })
  const latencies: number[] = []
  let errors = 0
  const endAt = performance.now() + durationMs
  const worker = async () => {
    while (performance.now() < endAt) {
      const start = performance.now()
      if ((await fire(pool, shot)) === 200) latencies.push(performance.now() - start)
      else errors += 1
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: connections }, worker))
  const seconds = (performance.now() - startedAt) / 1_000
  await pool.close()
  latencies.sort((a, b) => a - b)
  return {
    requestsPerSecond: latencies.length / seconds,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    errors,
  }
}

/**
 * Sends one request by the pool's lowest layer, so that the load tool takes as little of the machine as it can. Resolves with
 * its last byte: the HTTP status, or the error's code where there was no whole answer.
 */
export function fire(pool: Pool, shot: Shot): Promise<number | string> {
  return new Promise((resolve) => {
    let status = 0
    pool.dispatch(
      { method: 'POST', path: shot.path, headers: shot.headers, body: shot.body },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, code) => {
          status = code
        },
        onResponseData: () => {},
        onResponseEnd: () => resolve(status),
        onResponseError: (_controller, error) => resolve('code' in error ? String(error.code) : error.message),
      },
    )
  })
}

export interface StreamTimes {
  /** To the first byte of the body, one for each stream. */
  readonly firstByteMs: readonly number[]
  /** To the last byte of the body. */
  readonly totalMs: readonly number[]
  readonly errors: number
}

/** Keeps `streams` streams open at once until `rounds` × `streams` have ended. Starts are spread so that they do not beat in step. */
export async function runStreams(shot: Shot, streams: number, rounds: number, spreadMs: number): Promise<StreamTimes> {
  const pool = new Pool(shot.origin, { connections: streams, pipelining: 1 })
  const firstByteMs: number[] = []
  const totalMs: number[] = []
  let errors = 0
  const worker = async (_: unknown, index: number) => {
    await new Promise((resolve) => setTimeout(resolve, (spreadMs * index) / streams))
    for (let round = 0; round < rounds; round++) {
      const times = await fireStream(pool, shot)
      if (!times) errors += 1
      else {
        firstByteMs.push(times.first)
        totalMs.push(times.total)
      }
    }
  }
  await Promise.all(Array.from({ length: streams }, worker))
  await pool.close()
  return { firstByteMs, totalMs, errors }
}

function fireStream(pool: Pool, shot: Shot): Promise<{ first: number; total: number } | undefined> {
  return new Promise((resolve) => {
    const start = performance.now()
    let first = 0
    let status = 0
    pool.dispatch(
      { method: 'POST', path: shot.path, headers: shot.headers, body: shot.body },
      {
        onRequestStart: () => {},
        onResponseStart: (_controller, code) => {
          status = code
        },
        onResponseData: () => {
          if (first === 0) first = performance.now() - start
        },
        onResponseEnd: () => resolve(status === 200 ? { first, total: performance.now() - start } : undefined),
        onResponseError: () => resolve(undefined),
      },
    )
  })
}

/** Nearest-rank quantile of values in ascending order; 0 for none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0
}

export const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)

export const median = (values: readonly number[]): number => quantile(ascending(values), 0.5)
