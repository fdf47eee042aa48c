/**
 * How amounts are rounded. Integers all the way, in BigInt where a product may leave the safe range.
 *
 * R1 A quotient is rounded once, half up, where an amount comes to be: on a line of an invoice, never on a sum of lines.
 * R2 A sum that runs over time or tokens is shared by where it has run to (`upTo` of its end less `upTo` of its beginning): the pieces of
 *    any cut add up to the whole.
 * R3 Where the shares must not depend on each other, each is rounded down (`upTo` of itself), and one who is named has the rest
 *    (share-throughput.ts).
 */

/** `numerator / denominator`, half up, also below zero. Throws beyond the integers that are exact. */
export function roundedQuotient(numerator: bigint, denominator: bigint): number {
  return exactly(floored(2n * numerator + denominator, 2n * denominator))
}

/** What has run up of `total` when `done` of `all` is over; whole at the end. */
export const upTo = (total: number, done: number, all: number): number =>
  exactly(floored(BigInt(total) * BigInt(done), BigInt(all)))

function floored(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  return numerator % denominator !== 0n && numerator < 0n !== denominator < 0n ? quotient - 1n : quotient
}

function exactly(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw new Error(`the amount ${value} is beyond what is counted exactly`)
  return number
}
