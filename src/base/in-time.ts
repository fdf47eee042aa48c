import type { Clock } from './clock'

/** What the operation gives, or an error after `timeoutMs`; what becomes of the operation then is not known. */
export async function inTime<T>(
  { clock, timeoutMs, what }: { clock: Clock; timeoutMs: number; what: string },
  operation: Promise<T>,
): Promise<T> {
  const done = new AbortController()
  const late = clock.sleep(timeoutMs, done.signal).then(() => {
    if (done.signal.aborted) return operation
    throw new Error(`${what} did not answer within ${timeoutMs} ms`)
  })
  try {
    return await Promise.race([operation, late])
  } finally {
    done.abort()
  }
}
