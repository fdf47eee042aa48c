import { assert } from '../base/assert'
import type { Ledger } from './ledger'
import type { Admission, RateView } from './limiter'

interface Reservation {
  readonly ledgers: readonly Ledger[]
  readonly tokens: number
  /** In which the tokens count as spent. */
  readonly cell: number
  readonly sinceMs: number
  readonly rates: RateView
}

/** A call's reservation in the ledgers of its tenant, key and alias, until it settles. */
export class HeldAdmission implements Admission {
  readonly #clockwork: { settling(sinceMs: number): number }
  readonly #reservation: Reservation
  #settled = false

  constructor(clockwork: { settling(sinceMs: number): number }, reservation: Reservation) {
    this.#clockwork = clockwork
    this.#reservation = reservation
  }

  get rates(): RateView {
    return this.#reservation.rates
  }

  settle(usedTokens: number): void {
    assert(!this.#settled, 'an admission is settled once')
    this.#settled = true
    const { ledgers, tokens, cell, sinceMs } = this.#reservation
    const cellNow = this.#clockwork.settling(sinceMs)
    for (const ledger of ledgers) ledger.freeSlot()
    // After the slots: a wrong number keeps the reservation as it is, and must not keep a slot for ever.
    assert(Number.isSafeInteger(usedTokens) && usedTokens >= 0, 'used tokens are a whole number, at least 0')
    for (const ledger of ledgers) {
      if (usedTokens < tokens) ledger.refund(tokens - usedTokens, cell)
      else if (usedTokens > tokens) ledger.charge(usedTokens - tokens, cellNow)
    }
  }
}
