/** Check digits, each as its standard defines it. All take digits (and letters where noted) without separators. */

const digitAt = (digits: string, at: number) => digits.charCodeAt(at) - 0x30

/** Source: ISO/IEC 7812-1, annex B. */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = digitAt(digits, digits.length - 1 - at)
    const doubled = digit * 2
    sum += at % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** The number that digits and letters (A = 10) stand for, modulo 97. Source: ISO 7064 MOD 97-10, as ISO 13616 uses it. */
export function modulo97(characters: string): number {
  let rest = 0
  for (const character of characters) {
    const value = Number.parseInt(character, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97
  }
  return rest
}

/** The sum of each digit times its weight; digits beyond the weights do not count. */
export function weightedSum(digits: string, weights: readonly number[]): number {
  let sum = 0
  for (const [at, weight] of weights.entries()) sum += weight * digitAt(digits, at)
  return sum
}

/** Source: ISO 7064 MOD 11,10. */
export function passesMod11And10(digits: string): boolean {
  let product = 10
  for (let at = 0; at < digits.length - 1; at++) {
    const sum = (digitAt(digits, at) + product) % 10 || 10
    product = (sum * 2) % 11
  }
  return (11 - product) % 10 === digitAt(digits, digits.length - 1)
}

/** Source: J. Verhoeff, "Error detecting decimal codes" (1969): the dihedral group D5. */
export function passesVerhoeff(digits: string): boolean {
  let check = 0
  for (let at = 0; at < digits.length; at++) {
    let digit = digitAt(digits, digits.length - 1 - at)
    for (let times = at % 8; times > 0; times--) digit = permutation[digit] ?? 0
    check = inDihedral5(check, digit)
  }
  return check === 0
}

const permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]

function inDihedral5(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b - 5) % 5)
  return b < 5 ? 5 + ((a - 5 - b + 5) % 5) : (a - b + 5) % 5
}
