import type { CallId } from '../base/ids'
import { NumberTable } from './number-table'

/**
 * What the roll-up of a blob remembers of each call. A call is named by its number, from 0 in the order in which they came, and takes
 * 48 bytes, its id and its place by the hash of that included.
 */
export class CallTable {
  readonly #calls = new NumberTable(WORDS, (words) => new Int32Array(words))
  /** By the hash of an id, 1 + the number of the call that has it, or of another one: then it is further on. */
  #places = new Int32Array(CALLS_AT_FIRST * PLACES_PER_CALL)
  /** Those whose ids do not fit. */
  readonly #others = new Map<CallId, number>()
  /** The one that is looked for. */
  readonly #id = new Int32Array(ID_WORDS)

  /** The call's number; the state of one that is met for the first time is `NEW_CALL`. */
  numberOf(callId: CallId): number {
    if (this.#calls.rows * PLACES_PER_CALL >= this.#places.length) this.#grow()
    if (!packId(callId, this.#id)) return this.#numberOfOther(callId)
    let place = this.#firstPlace()
    for (; this.#places[place] !== 0; place = this.#placeAfter(place)) {
      const call = (this.#places[place] ?? 0) - 1
      if (this.#isNamed(call)) return call
    }
    const call = this.#newCall()
    for (let word = 0; word < ID_WORDS; word++) this.#calls.set(call, word, this.#id[word] ?? 0)
    this.#places[place] = call + 1
    return call
  }

  /** `NEW_CALL`, or what was set last. */
  stateOf(call: number): number {
    return this.#calls.get(call, STATE)
  }

  setState(call: number, state: number): void {
    this.#calls.set(call, STATE, state)
  }

  /** Puts the call, with a number of 31 bits to be kept of it, before another one that was put so, or before `NO_CALL`. */
  link(call: number, value: number, next: number): void {
    this.#calls.set(call, VALUE, value)
    this.#calls.set(call, NEXT, next)
  }

  /** What was kept of this call and of those behind it. */
  *valuesFrom(first: number): Generator<number> {
    for (let call = first; call !== NO_CALL; call = this.#calls.get(call, NEXT)) yield this.#calls.get(call, VALUE)
  }

  /** Forgets all calls and keeps the memory. */
  clear(): void {
    this.#calls.clear()
    this.#places.fill(0)
    this.#others.clear()
  }

  #newCall(): number {
    const call = this.#calls.addRow()
    this.setState(call, NEW_CALL)
    return call
  }

  #numberOfOther(callId: CallId): number {
    const known = this.#others.get(callId)
    if (known !== undefined) return known
    const call = this.#newCall()
    this.#others.set(callId, call)
    // No id that fits begins so: they have no place among the others.
    this.#calls.set(call, 0, 0)
    return call
  }

  #isNamed(call: number): boolean {
    for (let word = 0; word < ID_WORDS; word++) if (this.#calls.get(call, word) !== this.#id[word]) return false
    return true
  }

  /** FNV-1a over the words of an id, the high bits of it, since its low ones are poor. */
  #firstPlace(): number {
    let hash = 0x811c9dc5
    for (let word = 0; word < ID_WORDS; word++) hash = Math.imul(hash ^ (this.#id[word] ?? 0), 0x01000193)
    hash ^= hash >>> 15
    return Math.imul(hash, 0x85ebca6b) >>> (Math.clz32(this.#places.length) + 1)
  }

  #placeAfter(place: number): number {
    return (place + 1) & (this.#places.length - 1)
  }

  #grow(): void {
    this.#places = new Int32Array(this.#places.length * 2)
    for (let call = 0; call < this.#calls.rows; call++) {
      if (this.#calls.get(call, 0) === 0) continue
      for (let word = 0; word < ID_WORDS; word++) this.#id[word] = this.#calls.get(call, word)
      let place = this.#firstPlace()
      while (this.#places[place] !== 0) place = this.#placeAfter(place)
      this.#places[place] = call + 1
    }
  }
}

export const NEW_CALL = -1
export const NO_CALL = -1

/** A power of two; a full blob has 32 times as many. */
const CALLS_AT_FIRST = 2_048
/** At most half of the places are taken. A power of two as well. */
const PLACES_PER_CALL = 2

const CHARACTERS_PER_WORD = 4
const CHARACTER_BITS = 7
const ID_WORDS = 7
const [STATE, VALUE, NEXT] = [ID_WORDS, ID_WORDS + 1, ID_WORDS + 2]
const WORDS = ID_WORDS + 3

const PREFIX = 'call_'
const ID_CHARACTERS_MAX = PREFIX.length + ID_WORDS * CHARACTERS_PER_WORD

/** Four characters a word, zeros behind the last. False for ids that do not fit, which nobody makes: longer ones, and not of ASCII. */
function packId(id: CallId, words: Int32Array): boolean {
  if (id.length > ID_CHARACTERS_MAX || id.length === PREFIX.length || !id.startsWith(PREFIX)) return false
  for (let word = 0, at = PREFIX.length; word < ID_WORDS; word++) {
    let bits = 0
    for (const end = at + CHARACTERS_PER_WORD; at < end; at++) {
      const code = at < id.length ? id.charCodeAt(at) : 0
      if (code >>> CHARACTER_BITS !== 0 || (code === 0 && at < id.length)) return false
      bits = (bits << CHARACTER_BITS) | code
    }
    words[word] = bits
  }
  return true
}
