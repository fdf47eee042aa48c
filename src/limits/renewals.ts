import type { Clock } from '../base/clock'
import type { Log } from '../base/log'
import { limitsUnavailable } from './renewal-attempts'

/** Calls that wait for a renewal of one row at once. More come only when storage hangs. */
export const WAITERS_MAX = 2_000

export type RenewalIntent = 'stay' | 'leave'

export interface RenewalRules {
  /** Names the row in logs and errors. */
  readonly what: string
  /** While anything is held the lease is renewed so often: three tries before it expires. */
  readonly renewMs: number
  /** Renewals ahead of need follow each other no faster. */
  readonly aheadGapMs: number
}

/** What is renewed. */
export interface RenewedLease {
  isEmpty(): boolean
  readonly renewedAtMs: number
}

/**
 * The renewals of one leased row: one at a time, and the calls that wait for it, in order of arrival. Whoever renews takes the
 * calls that it could answer off `waiting`; renewals follow each other until none is left.
 */
export class Renewals<Waiter extends { readonly reject: (error: unknown) => void }> {
  waiting: Waiter[] = []
  readonly #clock: Clock
  readonly #log: Log
  readonly #rules: RenewalRules
  readonly #lease: RenewedLease
  readonly #renew: (intent: RenewalIntent) => Promise<void>
  #underWay: Promise<void> | undefined
  #failure: unknown
  #triedAtMs = -Infinity

  constructor(
    { clock, log }: { clock: Clock; log: Log },
    { lease, renew, ...rules }: RenewalRules & { lease: RenewedLease; renew: (intent: RenewalIntent) => Promise<void> },
  ) {
    this.#clock = clock
    this.#log = log
    this.#rules = rules
    this.#lease = lease
    this.#renew = renew
  }

  get isUnderWay(): boolean {
    return this.#underWay !== undefined
  }

  /** Throws `storage_unavailable` where too many wait already. */
  wait(waiter: Waiter, nowMs: number): void {
    if (this.waiting.length >= WAITERS_MAX) throw limitsUnavailable(`${WAITERS_MAX} calls wait for ${this.#rules.what}`)
    this.waiting.push(waiter)
    if (!this.#underWay) void this.start('stay', nowMs)
  }

  ahead(nowMs: number): void {
    if (!this.#underWay && nowMs - this.#triedAtMs >= this.#rules.aheadGapMs) void this.start('stay', nowMs)
  }

  /** Renews what is held before it expires, and gives back what is not needed. Returns whether a renewal was started. */
  tend(nowMs: number): boolean {
    if (this.#underWay || this.#lease.isEmpty()) return false
    if (nowMs - Math.max(this.#lease.renewedAtMs, this.#triedAtMs) < this.#rules.renewMs) return false
    void this.start('stay', nowMs)
    return true
  }

  /** Reports and gives back everything. Throws what storage threw; the lease then expires by itself. */
  async leave(): Promise<void> {
    await this.quiet()
    if (this.#lease.isEmpty()) return
    await this.start('leave', this.#clock.now())
    if (this.#failure) throw this.#failure
  }

  /** Until no renewal is under way. */
  async quiet(): Promise<void> {
    while (this.#underWay) await this.#underWay
  }

  start(intent: RenewalIntent, nowMs: number): Promise<void> {
    this.#triedAtMs = nowMs
    return (this.#underWay = this.#renewWhileCallsWait(intent))
  }

  /** Never rejects: waiting calls get the failure, and a renewal without any is tried again by `tend`. */
  async #renewWhileCallsWait(intent: RenewalIntent): Promise<void> {
    this.#failure = undefined
    try {
      do await this.#renew(intent)
      while (this.waiting.length > 0)
    } catch (error) {
      this.#failure = error
      const { waiting } = this
      this.waiting = []
      for (const { reject } of waiting) reject(error)
      const detail = { calls: waiting.length, reason: String(error) }
      this.#log.warn(`${this.#rules.what} could not be renewed`, detail)
    } finally {
      // In the same turn as the last look at the queue: a call that comes later must find that nobody serves it.
      this.#underWay = undefined
    }
  }
}
