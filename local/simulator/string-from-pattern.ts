import { pick, wholeBetween, type Random } from './random'

/** How often `*`, `+` and `{n,}` repeat beyond their least. */
const REPEATS_FREE_MAX = 4
const REPEATS_MAX = 10_000

/** A pattern beyond the part of regular expressions that is covered here. */
export class UnusablePattern extends Error {}

/**
 * A string that a pattern matches: literals, escapes, classes, groups, alternatives and quantifiers. Anchors are taken
 * as met, which they are when the whole string is made from the pattern. Throws UnusablePattern on look-arounds and
 * back-references.
 */
export function stringFromPattern(pattern: string, random: Random): string {
  const reader = new PatternReader(pattern, random)
  const text = reader.readAlternatives(true)
  if (!reader.atEnd) throw new UnusablePattern(`unexpected ")" in ${pattern}`)
  return text
}

class PatternReader {
  readonly #pattern: string
  readonly #random: Random
  #at = 0

  constructor(pattern: string, random: Random) {
    this.#pattern = pattern
    this.#random = random
  }

  get atEnd(): boolean {
    return this.#at >= this.#pattern.length
  }

  /** One of the alternatives, chosen evenly; each is read to its end all the same, to find the next. */
  readAlternatives(wanted: boolean): string {
    const alternatives = [this.#readSequence(wanted)]
    while (this.#take('|')) alternatives.push(this.#readSequence(wanted))
    return pick(this.#random, alternatives)
  }

  #readSequence(wanted: boolean): string {
    let text = ''
    while (!this.atEnd && this.#peek() !== '|' && this.#peek() !== ')') {
      const start = this.#at
      const first = this.#readAtom(wanted)
      const afterAtom = this.#at
      const [min, max] = this.#readQuantifier()
      const afterQuantifier = this.#at
      const repeats = wanted ? wholeBetween(this.#random, min, max) : 0
      if (repeats > 0) text += first
      for (let count = 1; count < repeats; count++) {
        // Read again, so that each repetition draws its own characters.
        this.#at = start
        text += this.#readAtom(true)
        if (this.#at !== afterAtom) throw new UnusablePattern(this.#pattern)
      }
      this.#at = afterQuantifier
    }
    return text
  }

  #readAtom(wanted: boolean): string {
    const char = this.#next()
    switch (char) {
      case '^':
      case '$':
        return ''
      case '.':
        return pick(this.#random, lowerLetters)
      case '(':
        return this.#readGroup(wanted)
      case '[':
        return this.#readClass()
      case '\\':
        return this.#readEscape()
      default:
        return char
    }
  }

  #readGroup(wanted: boolean): string {
    if (this.#take('?') && !this.#take(':')) {
      if (!this.#take('<') || this.#peek() === '=' || this.#peek() === '!') throw new UnusablePattern(this.#pattern)
      while (this.#next() !== '>');
    }
    const text = this.readAlternatives(wanted)
    if (!this.#take(')')) throw new UnusablePattern(this.#pattern)
    return text
  }

  #readEscape(): string {
    const char = this.#next()
    if (char === 'b') return ''
    if (char >= '1' && char <= '9') throw new UnusablePattern(this.#pattern)
    return pick(this.#random, escaped(char) ?? [char])
  }

  #readClass(): string {
    const negated = this.#take('^')
    const members = new Set<string>()
    while (this.#peek() !== ']') {
      const from = this.#next()
      const set = from === '\\' ? (escaped(this.#peek()) ?? [this.#peek()]) : [from]
      if (from === '\\') this.#at++
      if (set.length === 1 && this.#peek() === '-' && this.#pattern.charAt(this.#at + 1) !== ']') {
        this.#at++
        for (const member of range(set[0] ?? '', this.#next())) members.add(member)
      } else for (const member of set) members.add(member)
    }
    this.#at++
    return pick(this.#random, negated ? printable.filter((char) => !members.has(char)) : [...members])
  }

  #readQuantifier(): [number, number] {
    let bounds: [number, number] = [1, 1]
    if (this.#take('?')) bounds = [0, 1]
    else if (this.#take('*')) bounds = [0, REPEATS_FREE_MAX]
    else if (this.#take('+')) bounds = [1, REPEATS_FREE_MAX]
    else if (this.#peek() === '{') bounds = this.#readCounts()
    else return bounds
    this.#take('?')
    return bounds
  }

  #readCounts(): [number, number] {
    const end = this.#pattern.indexOf('}', this.#at)
    const [least = '', most] = this.#pattern.slice(this.#at + 1, end).split(',')
    const min = Number(least)
    const max = most === undefined ? min : most === '' ? min + REPEATS_FREE_MAX : Number(most)
    if (end < 0 || !(min <= max) || max > REPEATS_MAX) throw new UnusablePattern(this.#pattern)
    this.#at = end + 1
    return [min, max]
  }

  #peek(): string {
    return this.#pattern.charAt(this.#at)
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false
    this.#at++
    return true
  }

  #next(): string {
    if (this.atEnd) throw new UnusablePattern(this.#pattern)
    return this.#pattern.charAt(this.#at++)
  }
}

const range = (from: string, to: string): string[] => {
  const first = from.charCodeAt(0)
  return Array.from({ length: to.charCodeAt(0) - first + 1 }, (_, offset) => String.fromCharCode(first + offset))
}
const lowerLetters = range('a', 'z')
const digits = range('0', '9')
const wordChars = [...lowerLetters, ...range('A', 'Z'), ...digits, '_']
const printable = range(' ', '~')

function escaped(char: string): readonly string[] | undefined {
  switch (char) {
    case 'd':
      return digits
    case 'w':
      return wordChars
    case 's':
      return [' ']
    case 'D':
    case 'S':
      return lowerLetters
    case 'W':
      return ['-', ' ', '.']
    case 'n':
      return ['\n']
    case 't':
      return ['\t']
    case 'r':
      return ['\r']
    default:
      return undefined
  }
}
