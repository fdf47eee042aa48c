/** Uniform in [0, 1), the same for the same seed: Lehmer's generator with Park and Miller's numbers. */
export function seededChance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
