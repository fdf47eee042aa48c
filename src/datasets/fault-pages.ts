import { FAULTS_KEPT_MAX, FAULTS_PAGE } from './dataset-bounds'
import type { Fault, FaultSink } from './fault-list'

/** Keeps every fault of a file in the order of the file, up to `FAULTS_KEPT_MAX`, and holds no more than a page of them and a line's. */
export class FaultPages {
  readonly #put: (page: number, faults: readonly Fault[]) => Promise<void>
  #held: Fault[] = []
  #pages = 0

  /** `put` is given the pages in their order, from 0; all but the last have `FAULTS_PAGE` faults. */
  constructor(put: (page: number, faults: readonly Fault[]) => Promise<void>) {
    this.#put = put
  }

  readonly sink: FaultSink = (fault) => {
    if (this.kept < FAULTS_KEPT_MAX) this.#held.push(fault)
  }

  /** Whether what is held makes a page. */
  get isFull(): boolean {
    return this.#held.length >= FAULTS_PAGE
  }

  get kept(): number {
    return this.#pages * FAULTS_PAGE + this.#held.length
  }

  /** Puts the pages that are full. */
  async flush(): Promise<void> {
    while (this.isFull) {
      await this.#put(this.#pages, this.#held.slice(0, FAULTS_PAGE))
      this.#held = this.#held.slice(FAULTS_PAGE)
      this.#pages += 1
    }
  }

  async end(): Promise<void> {
    await this.flush()
    if (this.#held.length > 0) await this.#put(this.#pages, this.#held)
  }
}
