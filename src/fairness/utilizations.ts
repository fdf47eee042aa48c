import type { BackendId } from '../base/ids'

/** A utilisation older than this says nothing: the backend's bucket has drained meanwhile. */
const FRESH_MS = 2_000

/** How full the backends of a set say that they are: only provisioned throughput does. */
export class Utilizations {
  readonly #backendIds: readonly BackendId[]
  readonly #fullAtMs = new Map<BackendId, number>()

  constructor(backendIds: readonly BackendId[]) {
    this.#backendIds = backendIds
  }

  say(backendId: BackendId, utilization: number, nowMs: number): void {
    if (!this.#backendIds.includes(backendId)) return
    if (utilization >= 1) this.#fullAtMs.set(backendId, nowMs)
    else this.#fullAtMs.delete(backendId)
  }

  /** Every one is full; none that says nothing is taken for full. */
  areFull(nowMs: number): boolean {
    return this.#backendIds.every((id) => nowMs - (this.#fullAtMs.get(id) ?? -Infinity) <= FRESH_MS)
  }
}
