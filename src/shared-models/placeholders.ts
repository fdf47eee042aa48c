import type { PiiKind } from '../datasets/pii/find-pii'

/** What stands in the place of something identifying: `[EMAIL_1]`. */
const placeholderKinds = ['EMAIL', 'IBAN', 'CARD', 'ID', 'PHONE', 'IP', 'NAME', 'TERM', 'WORD'] as const
export type PlaceholderKind = (typeof placeholderKinds)[number]

const PLACEHOLDER = new RegExp(`\\[(?:${placeholderKinds.join('|')})_\\d{1,6}\\]`, 'g')

const kinds: Readonly<Record<PiiKind, PlaceholderKind>> = {
  email: 'EMAIL',
  iban: 'IBAN',
  credit_card: 'CARD',
  national_id: 'ID',
  us_ssn: 'ID',
  phone: 'PHONE',
  ip_address: 'IP',
}
export const placeholderKindOf = (kind: PiiKind): PlaceholderKind => kinds[kind]

/** Of one example: the same thing gets the same placeholder wherever it stands, so that who is who is still learned. */
export class Placeholders {
  readonly #known = new Map<string, string>()
  readonly #counts = new Map<PlaceholderKind, number>()

  /** `value` as it is compared: spellings that mean the same have to be one already. */
  of(kind: PlaceholderKind, value: string): string {
    const key = `${kind} ${value}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const number = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, number)
    const placeholder = `[${kind}_${number}]`
    this.#known.set(key, placeholder)
    return placeholder
  }
}

/** The text with `edit` applied to what stands between its placeholders. */
export function betweenPlaceholders(text: string, edit: (plain: string) => string): string {
  let result = ''
  let from = 0
  for (const { 0: placeholder, index } of text.matchAll(PLACEHOLDER)) {
    result += edit(text.slice(from, index)) + placeholder
    from = index + placeholder.length
  }
  return result + edit(text.slice(from))
}

/** A span of a text and what takes its place. */
export interface Replacement {
  readonly start: number
  readonly end: number
  readonly by: string
}

/** Spans that do not overlap, in the order of their places. */
export function replaceSpans(text: string, replacements: readonly Replacement[]): string {
  let result = ''
  let from = 0
  for (const { start, end, by } of replacements) {
    result += text.slice(from, start) + by
    from = end
  }
  return result + text.slice(from)
}
