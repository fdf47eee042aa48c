/**
 * Scripts by their code (ISO 15924), those that most text is written in. Japanese is told from Chinese by its kana, before Han; what
 * has letters of none of these is `other`.
 */
const scripts: readonly (readonly [code: string, letters: RegExp])[] = [
  ['Latn', /\p{sc=Latin}/gu],
  ['Cyrl', /\p{sc=Cyrillic}/gu],
  ['Jpan', /[\p{sc=Hiragana}\p{sc=Katakana}]/gu],
  ['Hani', /\p{sc=Han}/gu],
  ['Hang', /\p{sc=Hangul}/gu],
  ['Arab', /\p{sc=Arabic}/gu],
  ['Deva', /\p{sc=Devanagari}/gu],
  ['Grek', /\p{sc=Greek}/gu],
  ['Hebr', /\p{sc=Hebrew}/gu],
  ['Thai', /\p{sc=Thai}/gu],
  ['Beng', /\p{sc=Bengali}/gu],
  ['Taml', /\p{sc=Tamil}/gu],
  ['Telu', /\p{sc=Telugu}/gu],
  ['Geor', /\p{sc=Georgian}/gu],
  ['Armn', /\p{sc=Armenian}/gu],
  ['Ethi', /\p{sc=Ethiopic}/gu],
]

/** Kana are between the Han of a Japanese text: so large a share of letters makes it one. */
const KANA_SHARE_MIN = 0.1

const NO_LETTERS = 'none'
const OTHER_SCRIPT = 'other'

/** The script that most letters of a text are in, by the Unicode property of each; `none` where it has no letters. */
export function scriptOf(text: string): string {
  const letters = countOf(text, /\p{L}/gu)
  if (letters === 0) return NO_LETTERS
  const counts = scripts.map(([code, pattern]) => ({ code, count: countOf(text, pattern) }))
  const kana = counts.find(({ code }) => code === 'Jpan')?.count ?? 0
  if (kana / letters >= KANA_SHARE_MIN) return 'Jpan'
  const known = counts.reduce((most, one) => (one.count > most.count ? one : most))
  const others = letters - counts.reduce((sum, { count }) => sum + count, 0)
  return known.count > others ? known.code : OTHER_SCRIPT
}

const countOf = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0
