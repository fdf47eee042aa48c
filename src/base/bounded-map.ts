/** Of so many keys at most; those kept longest ago leave first. What is missing, its owner can find out again. */
export class BoundedMap<K, V> {
  readonly #entriesMax: number
  readonly #entries = new Map<K, V>()

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)
  }

  keep(key: K, value: V): void {
    this.#entries.delete(key)
    const oldest = this.#entries.keys().next()
    if (this.#entries.size >= this.#entriesMax && !oldest.done) this.#entries.delete(oldest.value)
    this.#entries.set(key, value)
  }

  forget(key: K): void {
    this.#entries.delete(key)
  }
}
