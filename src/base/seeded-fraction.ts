/**
 * Uniform in [0, 1), the same row of numbers for the same seed: whatever is drawn by chance is drawn again alike by whoever repeats it.
 * Source: mulberry32 by Tommy Ettinger (public domain), whose 2³² states are plenty for some million draws; never for secrets.
 */
export function seededFraction(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A seed of a text, by FNV-1a (Fowler, Noll and Vo). */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
