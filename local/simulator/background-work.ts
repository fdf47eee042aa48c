import type { Draft } from './exchange'
import type { Outcome } from './ledger'
import type { Resource } from './resource'
import { nowMs } from './ticker-wheel'

/** Work that outlives the call that asked for it, with a ledger record of its own. */
export class BackgroundWork {
  readonly record: Draft
  readonly #resource: Resource
  readonly #startedMs = nowMs()
  readonly #onEnd: (() => void)[] = []
  #ended = false

  constructor(resource: Resource, record: Draft) {
    this.#resource = resource
    this.record = record
    resource.inFlight++
  }

  /** Called once when the work has ended, before its record is written. */
  onEnd(run: () => void): void {
    this.#onEnd.push(run)
  }

  end(outcome: Outcome): void {
    if (!this.#close()) return
    const durationMs = nowMs() - this.#startedMs
    this.#resource.ledger.add({ ...this.record, durationMs, outcome })
  }

  /** It never began: the call that asked for it was answered otherwise, and its own record says how. */
  drop(): void {
    this.#close()
  }

  #close(): boolean {
    if (this.#ended) return false
    this.#ended = true
    this.#resource.inFlight--
    for (const run of this.#onEnd) run()
    return true
  }
}
