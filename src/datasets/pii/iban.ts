import { modulo97 } from './checksums'

/** Lengths by country. Source: SWIFT, IBAN Registry (ISO 13616). */
const lengths: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 ' +
    'FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 ' +
    'LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ' +
    'ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)

/**
 * How many characters from the start of `matched` are an IBAN; 0 for none. What was matched may go on with a word in
 * capitals, which is cut off.
 */
export function ibanLength(matched: string): number {
  const length = lengths[matched.slice(0, 2)]
  if (length === undefined) return 0
  let end = 0
  for (let taken = 0; taken < length; end++) {
    if (end >= matched.length) return 0
    if (matched[end] !== ' ') taken += 1
  }
  // The next word may follow, but not more of the same.
  if (end < matched.length && matched[end] !== ' ') return 0
  const iban = matched.slice(0, end).replaceAll(' ', '')
  return modulo97(iban.slice(4) + iban.slice(0, 4)) === 1 ? end : 0
}
