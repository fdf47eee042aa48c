/**
 * A bounded cache of two generations: when the young one is full it becomes the old one, and the old one is dropped.
 * It keeps what was used lately, like an LRU, but a hit costs one map look-up instead of a delete and an insert.
 */
export class GenerationalCache<K, V> {
  #young = new Map<K, V>()
  #old = new Map<K, V>()
  #youngWeight = 0
  readonly #weightMax: number
  readonly #weigh: (key: K, value: V) => number

  /** @param weightMax bound of one generation, in the unit of `weigh` (entries when absent); twice that can be held. */
  constructor(weightMax: number, weigh: (key: K, value: V) => number = () => 1) {
    this.#weightMax = weightMax
    this.#weigh = weigh
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  /** A value heavier than a whole generation is not kept, since it would push everything else out. */
  set(key: K, value: V): void {
    const weight = this.#weigh(key, value)
    if (weight > this.#weightMax) return
    if (this.#youngWeight + weight > this.#weightMax) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngWeight = 0
    }
    this.#young.set(key, value)
    this.#youngWeight += weight
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
    this.#youngWeight = 0
  }
}
