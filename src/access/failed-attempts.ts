import type { Clock } from '../base/clock'
import { Problem } from '../base/problem'
import type { HeaderReader } from './read-credential'

/**
 * Slows down whoever tries credentials: an address with many failures is told to wait, longer each time. A credential that is
 * right works from any address, since it is asked about only after it failed; so a neighbour behind the same proxy is not
 * locked out, and the good path costs nothing.
 */
export interface FailedAttempts {
  /** Counts one more failure of the request's address. The refusal to answer with: the given one, or 429 with a true wait. */
  after(refused: Problem, headers: HeaderReader): Problem
}

const FREE_FAILURES = 20
/** Failures are forgotten after so long without another one. */
const FORGET_MS = 300_000
const WAIT_MS_MIN = 1_000
const WAIT_MS_MAX = 60_000
/** The addresses that failed longest ago leave first. */
const ADDRESSES_MAX = 10_000
/** An IPv6 address in brackets with a zone and a port. */
const ADDRESS_CHARACTERS_MAX = 64

interface Failures {
  count: number
  lastAtMs: number
}

export function createFailedAttempts(clock: Clock): FailedAttempts {
  const byAddress = new Map<string, Failures>()
  return {
    after: (refused, headers) => {
      const address = addressOf(headers)
      if (refused.entry.status !== 401 || address === undefined) return refused
      const nowMs = clock.monotonicMs()
      const known = byAddress.get(address)
      const count = known && nowMs - known.lastAtMs < FORGET_MS ? known.count + 1 : 1
      // Deleting first moves it to the young end of the map's order.
      byAddress.delete(address)
      byAddress.set(address, { count, lastAtMs: nowMs })
      const [oldest] = byAddress.keys()
      if (byAddress.size > ADDRESSES_MAX && oldest !== undefined) byAddress.delete(oldest)
      if (count <= FREE_FAILURES) return refused
      const retryAfterMs = Math.min(WAIT_MS_MAX, WAIT_MS_MIN * 2 ** Math.min(count - FREE_FAILURES - 1, 16))
      const text = 'Too many credentials from this address were wrong. Wait, and check the one that is configured.'
      return new Problem('too_many_failed_attempts', text, { retryAfterMs })
    },
  }
}

/** The hop that the platform's own front end saw: the last one, which a client cannot make up. */
function addressOf(headers: HeaderReader): string | undefined {
  const last = headers.get('x-forwarded-for')?.split(',').at(-1)?.trim()
  // Azure's front end writes the port behind an IPv4 address. What is longer than any address is kept as one of its length.
  return last ? last.slice(0, ADDRESS_CHARACTERS_MAX).replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1') : undefined
}
