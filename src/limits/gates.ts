import { repeat, type Clock } from '../base/clock'
import { describeError, type Log } from '../base/log'
import { limitsUnavailable, shuttingDown } from './renewal-attempts'

/** What decides the calls that spend from one leased row on this instance. */
export interface Gate {
  /** Whether forgetting it loses nothing but what is remembered of its row. */
  isIdle(): boolean
  readonly usedAtMs: number
  /** Whether a renewal is under way, whoever started it. */
  readonly isRenewing: boolean
  /** Renews what is held before it expires. Returns whether a renewal was started. */
  tend(nowMs: number): boolean
  /** Reports and gives back everything it holds. */
  leave(): Promise<void>
}

/** Gates remembered at once. An idle one costs a storage read to remember again, so the bound is only for memory. */
const GATES_MAX = 20_000
/**
 * Renewals under way at which a look starts no more: a full house must not storm the storage, and one that answers more slowly
 * than leases grow old would otherwise be asked for ever more at once, and never again answer in time.
 */
export const RENEWALS_UNDER_WAY_MAX = 500
/** A row of which nothing is held is remembered for so long after its last call, since what it says is worth knowing. */
const FORGET_MS = 10_000
const CLOSES_AT_ONCE = 32

/** The gates of this instance by the names of their rows, and the round that keeps their leases. */
export class Gates<G extends Gate> {
  readonly #clock: Clock
  readonly #log: Log
  readonly #what: string
  readonly #tickMs: number
  readonly #gates = new Map<string, G>()
  readonly #tending: { stop(): Promise<void> }
  #closed: Promise<void> | undefined
  #sweptAtMs = -Infinity

  /** `what` names the rows in logs; leases are looked through every `tickMs` for those to renew. */
  constructor({ clock, log }: { clock: Clock; log: Log }, { what, tickMs }: { what: string; tickMs: number }) {
    this.#clock = clock
    this.#log = log
    this.#what = what
    this.#tickMs = tickMs
    const onError = (error: unknown) => log.error(`looking through ${what} failed`, { error: describeError(error) })
    this.#tending = repeat({ clock, onError }, tickMs, async () => this.#tend())
  }

  /** Throws `shutting_down` once closing has begun, and `storage_unavailable` where no gate more can be remembered. */
  of(name: string, make: () => G): G {
    if (this.#closed) throw shuttingDown()
    const known = this.#gates.get(name)
    if (known) return known
    if (this.#gates.size >= GATES_MAX && this.#clock.now() - this.#sweptAtMs >= this.#tickMs) {
      this.#sweptAtMs = this.#clock.now()
      this.#forget(0)
    }
    if (this.#gates.size >= GATES_MAX) throw limitsUnavailable(`${GATES_MAX} ${this.#what} in use at once`)
    const gate = make()
    this.#gates.set(name, gate)
    return gate
  }

  /** Reports and gives back everything; for a clean stop. */
  close(): Promise<void> {
    return (this.#closed ??= this.#leaveAll())
  }

  #tend(): void {
    const nowMs = this.#clock.now()
    const gates = [...this.#gates]
    let underWay = gates.filter(([, gate]) => gate.isRenewing).length
    for (const [name, gate] of gates) {
      if (underWay >= RENEWALS_UNDER_WAY_MAX) break
      if (!gate.tend(nowMs)) continue
      underWay += 1
      // Behind those that have not had their turn: where not all get one in time, it is not always the same that do.
      this.#gates.delete(name)
      this.#gates.set(name, gate)
    }
    this.#forget(FORGET_MS)
  }

  #forget(unusedMs: number): void {
    const nowMs = this.#clock.now()
    for (const [name, gate] of this.#gates) {
      if (gate.isIdle() && nowMs - gate.usedAtMs >= unusedMs) this.#gates.delete(name)
    }
  }

  async #leaveAll(): Promise<void> {
    await this.#tending.stop()
    const leaving = [...this.#gates.values()].values()
    const leaveInTurn = async () => {
      for (const gate of leaving) {
        await gate.leave().catch((error: unknown) => {
          const detail = { what: this.#what, error: describeError(error) }
          this.#log.warn('a lease was not given back and will expire', detail)
        })
      }
    }
    await Promise.all(Array.from({ length: CLOSES_AT_ONCE }, leaveInTurn))
  }
}
