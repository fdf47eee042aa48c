import { passesLuhn, passesMod11And10, passesVerhoeff, weightedSum } from './checksums'

/** A country's number for persons that can be told from other numbers: by its check digits, and by its form or a date in it. */
export interface NationalId {
  readonly country: string
  readonly pattern: RegExp
  isValid(matched: string): boolean
}

const plain = (matched: string) => matched.replace(/[^0-9A-Za-z]/g, '')
const checkLetter = (letters: string, number: number) => letters[number % letters.length]

/** Whether the two digits each are a day and a month. */
const isDay = (day: number, month: number) => month >= 1 && month <= 12 && day >= 1 && day <= (daysOf[month - 1] ?? 0)
const daysOf = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const two = (digits: string, at: number) => Number(digits.slice(at, at + 2))

/**
 * Those that are common and carry enough to be known by. Left out: the Netherlands' BSN and others of nine digits, which
 * one in eleven of all numbers passes for.
 */
export const nationalIds: readonly NationalId[] = [
  {
    // DNI and NIE. Source: Ministerio del Interior, cálculo del dígito de control.
    country: 'ES',
    pattern: /(?<![\w-])(?:[XYZ]-?\d{7}|\d{8})-?[A-Z](?![\w-])/g,
    isValid: (matched) => {
      const id = plain(matched)
      const number = Number(id.slice(0, 8).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter))))
      return checkLetter('TRWAGMYFPDXBNJZSQVHLCKE', number) === id[8]
    },
  },
  {
    // Codice fiscale. Source: Decreto ministeriale 23 dicembre 1976.
    country: 'IT',
    pattern: /(?<![\w-])[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?![\w-])/g,
    isValid: passesCodiceFiscale,
  },
  {
    // NIR (numéro de sécurité sociale). Source: INSEE; Corsica's 2A and 2B count as 19 and 18.
    country: 'FR',
    pattern: /(?<![\w-])[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?![\w-]|\.\d)/g,
    isValid: (matched) => {
      const id = plain(matched)
      const number = Number(id.slice(0, 13).replace('2A', '19').replace('2B', '18'))
      return 97 - (number % 97) === Number(id.slice(13))
    },
  },
  {
    // Steuer-Identifikationsnummer. Source: Bundeszentralamt für Steuern; one digit of the first ten twice or thrice.
    country: 'DE',
    pattern: /(?<![\w.+-])[1-9]\d(?:\d{9}| \d{3} \d{3} \d{3})(?![\w-]|\.\d)/g,
    isValid: (matched) => {
      const id = plain(matched)
      return repeatsOneDigit(id.slice(0, 10)) && passesMod11And10(id)
    },
  },
  {
    // PESEL. Source: Ustawa o ewidencji ludności; the month tells the century.
    country: 'PL',
    pattern: /(?<![\w.+-])\d{11}(?![\w-]|\.\d)/g,
    isValid: (id) =>
      isDay(two(id, 4), two(id, 2) % 20) && weightedSum(id, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0,
  },
  {
    // CPF, as it is written. Source: Receita Federal.
    country: 'BR',
    pattern: /(?<![\w.-])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])/g,
    isValid: (matched) => {
      const id = plain(matched)
      const digit = (weights: readonly number[]) => ((weightedSum(id, weights) * 10) % 11) % 10
      const same = /^(\d)\1+$/.test(id)
      const first = digit([10, 9, 8, 7, 6, 5, 4, 3, 2])
      const second = digit([11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
      return !same && id.endsWith(`${first}${second}`)
    },
  },
  {
    // Henkilötunnus. Source: Digi- ja väestötietovirasto, with the signs of the century of 2023.
    country: 'FI',
    pattern: /(?<![\w-])\d{6}[-+A-FU-Y]\d{3}[0-9A-Y](?![\w-])/g,
    isValid: (matched) =>
      isDay(two(matched, 0), two(matched, 2)) &&
      checkLetter('0123456789ABCDEFHJKLMNPRSTUVWXY', Number(matched.slice(0, 6) + matched.slice(7, 10))) ===
        matched[10],
  },
  {
    // Personnummer. Source: Skatteverket.
    country: 'SE',
    pattern: /(?<![\w-])(?:19|20)?\d{6}[-+]\d{4}(?![\w-])/g,
    isValid: (matched) => {
      const id = plain(matched).slice(-10)
      return isDay(two(id, 4), two(id, 2)) && passesLuhn(id)
    },
  },
  {
    // Aadhaar, as it is written. Source: UIDAI.
    country: 'IN',
    pattern: /(?<![\w.+-])[2-9]\d{3}([ -])\d{4}\1\d{4}(?![\w-]|[ .-]\d)/g,
    isValid: (matched) => passesVerhoeff(plain(matched)),
  },
  {
    // NHS number, as it is written. Source: NHS Data Dictionary.
    country: 'GB',
    pattern: /(?<![\w.+-])\d{3} \d{3} \d{4}(?![\w-]|\.\d)/g,
    isValid: (matched) => {
      const id = plain(matched)
      const check = (11 - (weightedSum(id, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11
      return check === Number(id[9])
    },
  },
  {
    // Social Insurance Number, as it is written. Source: Service Canada; 0 and 8 are not given to persons.
    country: 'CA',
    pattern: /(?<![\w.+-])[1-79]\d{2}([ -])\d{3}\1\d{3}(?![\w-]|[ .-]\d)/g,
    isValid: (matched) => passesLuhn(plain(matched)),
  },
]

function repeatsOneDigit(digits: string): boolean {
  const counts = new Map<string, number>()
  for (const digit of digits) counts.set(digit, (counts.get(digit) ?? 0) + 1)
  const repeated = [...counts.values()].filter((count) => count > 1)
  const [times] = repeated
  return repeated.length === 1 && (times === 2 || times === 3)
}

/** What a character in an odd place counts, by its place among the letters (or the digits). */
const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

function passesCodiceFiscale(code: string): boolean {
  let sum = 0
  for (let at = 0; at < 15; at++) {
    const value = Number.parseInt(code[at] ?? '', 36)
    const place = value > 9 ? value - 10 : value
    sum += at % 2 === 0 ? (oddValues[place] ?? 0) : place
  }
  return String.fromCharCode(65 + (sum % 26)) === code[15]
}
