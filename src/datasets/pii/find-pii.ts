import { isIPv6 } from 'node:net'
import { passesLuhn } from './checksums'
import { ibanLength } from './iban'
import { nationalIds } from './national-ids'

/** In the order in which they are looked for: what is one of the first is not another of the last. */
export const piiKinds = ['email', 'iban', 'credit_card', 'national_id', 'us_ssn', 'phone', 'ip_address'] as const
export type PiiKind = (typeof piiKinds)[number]

export interface PiiFound {
  readonly kind: PiiKind
  /** Where it lies in the text. */
  readonly start: number
  readonly end: number
}

interface Pattern {
  readonly kind: PiiKind
  /** Global; linear in the text, since every repetition is bounded. */
  readonly pattern: RegExp
  /** How much of what was matched it is, in characters; 0 for nothing. */
  lengthOf(matched: string): number
}

/**
 * Identifying data in a text, each place once, in no order. What has a checksum must pass it and what has a form must have it, so that few
 * numbers are taken for what they are not; names, addresses and what is written out are not found at all.
 */
export function findPii(text: string): PiiFound[] {
  const found: PiiFound[] = []
  if (text.includes('@')) findEmails(text, found)
  if (!DIGIT.test(text)) return found
  for (const { kind, pattern, lengthOf } of patterns) {
    pattern.lastIndex = 0
    for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
      const start = match.index
      const length = lengthOf(match[0])
      if (length > 0 && !found.some((other) => start < other.end && other.start < start + length))
        found.push({ kind, start, end: start + length })
    }
  }
  return found
}

const DIGIT = /\d/

const LOCAL_CHARACTERS_MAX = 64
const LOCAL_END = /[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+$/
const DOMAIN =
  /[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?){0,8}\.[A-Za-z]{2,24}(?![A-Za-z0-9-])/y

/** Source: RFC 5321's lengths, and the characters that are used without quotes. */
function findEmails(text: string, found: PiiFound[]): void {
  for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
    DOMAIN.lastIndex = at + 1
    if (!DOMAIN.test(text)) continue
    const before = text.slice(Math.max(0, at - LOCAL_CHARACTERS_MAX - 1), at)
    const local = LOCAL_END.exec(before)?.[0] ?? ''
    const isLocal = local !== '' && local.length <= LOCAL_CHARACTERS_MAX && !/^\.|\.$|\.\./.test(local)
    if (isLocal) found.push({ kind: 'email', start: at - local.length, end: DOMAIN.lastIndex })
  }
}

const whole = (matches: (matched: string) => boolean) => (matched: string) => (matches(matched) ? matched.length : 0)
const digitsOf = (matched: string) => matched.replace(/\D/g, '')

/** Source: ISO/IEC 7812 issuers: Visa, Mastercard, American Express, Discover, JCB, Diners Club, UnionPay. */
const cardIssuers: readonly (readonly [RegExp, readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(6011|64[4-9]|65)/, [16, 19]],
  [/^35(2[89]|[3-8])/, [16, 19]],
  [/^3(0[0-5]|[68])/, [14, 16]],
  [/^62/, [16, 17, 18, 19]],
]

function isCard(matched: string): boolean {
  const digits = digitsOf(matched)
  const issued = cardIssuers.some(([start, lengths]) => lengths.includes(digits.length) && start.test(digits))
  return issued && !/^(\d)\1+$/.test(digits) && passesLuhn(digits)
}

/** Loopback, unspecified and broadcast addresses are nobody's. */
const isPersonalIp4 = (address: string) => !/^(127\.|0\.|255\.255\.255\.255$)/.test(address)

/** Times and C++ names have the form of an address with few groups. */
const isPersonalIp6 = (address: string) =>
  isIPv6(address) && address.split(':').filter((group) => group !== '').length >= 3 && DIGIT.test(address)

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'

const patterns: readonly Pattern[] = [
  {
    kind: 'iban',
    pattern: /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Za-z0-9])/g,
    lengthOf: ibanLength,
  },
  {
    kind: 'credit_card',
    pattern: /(?<![\w.+-])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{4}([ -])\d{6}\2\d{4,5})(?![\w-]|\.\d)/g,
    lengthOf: whole(isCard),
  },
  ...nationalIds.map(({ pattern, isValid }): Pattern => ({ kind: 'national_id', pattern, lengthOf: whole(isValid) })),
  {
    // Source: Social Security Administration: areas 000, 666 and 900 to 999, group 00 and serial 0000 are not given.
    kind: 'us_ssn',
    pattern: /(?<![\w-])(?!000|666|9)\d{3}([ -])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-]|\.\d)/g,
    lengthOf: (matched) => matched.length,
  },
  {
    // Source: ITU-T E.164, with the country's code.
    kind: 'phone',
    pattern: /(?<![\w+.])\+[1-9](?:[ ().-]{0,2}\d){7,14}(?!\d)/g,
    lengthOf: (matched) => matched.length,
  },
  {
    // Source: North American Numbering Plan: neither area nor exchange begins with 0 or 1.
    kind: 'phone',
    pattern: /(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}(?![\w-]|\.\d)/g,
    lengthOf: (matched) => matched.length,
  },
  {
    kind: 'ip_address',
    pattern: new RegExp(`(?<![\\w.-])(?:${OCTET}\\.){3}${OCTET}(?![\\w-]|\\.\\d)`, 'g'),
    lengthOf: whole(isPersonalIp4),
  },
  {
    kind: 'ip_address',
    pattern: /(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])/g,
    lengthOf: whole(isPersonalIp6),
  },
]
