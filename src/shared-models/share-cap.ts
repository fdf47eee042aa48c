/** By how much more than an equal part of the whole one tenant may have. */
const PART_OF_EQUAL_MAX = 1.5

/** The largest part of the whole that one of so many tenants may have. */
export const shareMaxOf = (tenants: number): number => Math.min(1, PART_OF_EQUAL_MAX / tenants)

/**
 * The bound on what each tenant gives by which nobody's part of what is left is above `shareMax`, as large as it may be; all in
 * bytes, pure. With `shareMax` of an equal part or more there is always one above 0 as soon as somebody has something.
 *
 * Let c be the bound and S(c) the sum of all min(size, c): sought is the largest c with c ≤ shareMax · S(c). Between two sizes S is
 * m·c + s, m being how many have more and s the sum of the rest: there the condition reads c·(1 − shareMax·m) ≤ shareMax·s.
 */
export function capFor(sizes: readonly number[], shareMax: number): number {
  const sorted = sizes.toSorted((a, b) => a - b)
  let smaller = sorted.reduce((sum, size) => sum + size, 0)
  for (let larger = 0; larger <= sorted.length; larger++) {
    // The bound lies at or above the size below it, and at or below the one above.
    const below = sorted[sorted.length - larger - 1] ?? 0
    const above = sorted[sorted.length - larger] ?? Infinity
    const room = 1 - shareMax * larger
    const most = room <= 0 ? above : (shareMax * smaller) / room
    if (most >= below) return Math.floor(Math.min(most, above))
    smaller -= below
  }
  return 0
}
