import { randomFillSync } from 'node:crypto'

/** Where chance comes from: passed in like the clock, so that a seeded test repeats itself. */
export interface Chance {
  /** Uniform in [0, 1). Not for secrets. */
  fraction(): number
  /** `length` bytes from a cryptographic source. */
  bytes(length: number): Uint8Array
}

const POOL_BYTES = 8_192

/** Draws bytes from a pool, since one system call per identifier would cost more than the identifier. */
export function systemChance(): Chance {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  return {
    fraction: () => Math.random(),
    bytes: (length) => {
      if (length > POOL_BYTES) return randomFillSync(new Uint8Array(length))
      if (used + length > POOL_BYTES) {
        randomFillSync(pool)
        used = 0
      }
      const taken = pool.slice(used, used + length)
      pool.fill(0, used, used + length)
      used += length
      return taken
    },
  }
}
