import { hash } from 'node:crypto'
import type { Clock } from '../base/clock'
import type { WrappingKey } from '../base/wrapping-key'

/** A data key in the clear. Whoever uses it does so without awaiting, after asking `isForgotten`. */
export interface DataKey {
  readonly version: number
  readonly key: Uint8Array
  /** Its bytes are zeros now. */
  readonly isForgotten: boolean
}

/** Data keys in the clear, in this process's memory: as few and for as short as use allows (K1). */
export interface UnwrappedKeys {
  /** Unwraps it unless it is held; holds it for `keptMs` from now. */
  get(version: number, stored: { readonly wrapped: Uint8Array; readonly wrappedBy: string }): Promise<DataKey>
}

const KEYS_MAX = 4_000
/** Every version is looked at this often, so that it goes at most this much later than it may. */
const SWEEP_MS = 1_000

interface Held extends DataKey {
  isForgotten: boolean
  keptUntilMs: number
}

/**
 * Keys are known by the digest of their wrapping, so a tenant's rows can be read every few seconds without asking the key
 * vault each time. One that nobody has asked for in `keptMs` is overwritten; beyond `KEYS_MAX` the one asked for longest ago.
 */
export function createUnwrappedKeys({
  wrappingKey,
  clock,
  keptMs,
}: {
  wrappingKey: WrappingKey
  clock: Clock
  keptMs: number
}): UnwrappedKeys {
  /** In the order of their last use. */
  const held = new Map<string, Held>()
  let isSweeping = false

  const forget = (digest: string, entry: Held) => {
    held.delete(digest)
    entry.isForgotten = true
    entry.key.fill(0)
  }
  const sweep = () => {
    for (const [digest, entry] of held) {
      if (entry.keptUntilMs > clock.monotonicMs()) break
      forget(digest, entry)
    }
    isSweeping = held.size > 0
    if (isSweeping) clock.after(SWEEP_MS, sweep)
  }
  const hold = (digest: string, entry: Held) => {
    held.delete(digest)
    held.set(digest, entry)
    entry.keptUntilMs = clock.monotonicMs() + keptMs
    const [oldest] = held
    if (oldest && held.size > KEYS_MAX) forget(...oldest)
    if (!isSweeping) sweep()
    return entry
  }

  return {
    get: async (version, { wrapped, wrappedBy }) => {
      const digest = hash('sha256', wrapped, 'base64url')
      const known = held.get(digest)
      if (known) return hold(digest, known)
      const key = await wrappingKey.unwrap(wrapped, wrappedBy)
      // Another read may have unwrapped it meanwhile: one copy is enough.
      const others = held.get(digest)
      if (others) key.fill(0)
      return hold(digest, others ?? { version, key, isForgotten: false, keptUntilMs: 0 })
    },
  }
}
