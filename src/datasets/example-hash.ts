import { textClasses, type ExampleParts } from './example-parts'

/** 64 bits in two halves, each from 0 to 2³² − 1. */
export interface Hash {
  readonly high: number
  readonly low: number
}

/**
 * Hashes an example by what it says: who speaks, and the words, but not letters' case, white space, the order of keys,
 * escapes, and which of Unicode's compatible forms was written (NFKC). Not a secret, and not safe against somebody who makes
 * two examples with one hash: that one deceives nobody but themselves. Among three million examples two share a hash by
 * chance in one file of four million.
 */
export class ExampleHasher {
  readonly #texts = Buffer.alloc(BLOCK_BYTES)
  /** What counts of the texts, one after the other; hashed in words of four bytes, which is why it is a memory of its own. */
  readonly #words = new Int32Array(BLOCK_BYTES / 2)
  readonly #bytes = new Uint8Array(this.#words.buffer)
  #held = 0
  #high = 0
  #low = 0

  hash(parts: ExampleParts): Hash {
    this.#held = 0
    this.#high = 0x243f6a88
    this.#low = 0x85a308d3
    for (const [i, text] of parts.texts.entries()) this.#add(textClasses.indexOf(parts.classes[i] ?? 'user'), text)
    for (const { url } of parts.images) this.#add(IMAGE, url)
    // The rest of the last word must not be what was there before.
    this.#bytes.fill(0, this.#held, this.#held + WORD_BYTES)
    this.#mixWords(Math.ceil(this.#held / WORD_BYTES))
    return { high: finish(this.#high), low: finish(this.#low) }
  }

  #add(speaker: number, text: string): void {
    const bytes = this.#bytesOf(text)
    // Only ASCII has as many bytes as characters, and nothing in it that folds to other characters.
    const plain = bytes.length === text.length ? bytes : this.#bytesOf(foldedText(text))
    for (let start = 0; start < plain.length; start += BLOCK_BYTES)
      this.#addBlock(plain.subarray(start, start + BLOCK_BYTES))
    this.#bytes[this.#held++] = END
    this.#bytes[this.#held++] = speaker
  }

  #bytesOf(text: string): Buffer {
    if (CHARACTER_BYTES_MAX * text.length > BLOCK_BYTES) return Buffer.from(text)
    return this.#texts.subarray(0, this.#texts.write(text, 'utf8'))
  }

  /** Without branches, since nobody foresees where the next space is: this loop sees every byte of a file. */
  #addBlock(block: Buffer): void {
    const bytes = this.#bytes
    let held = this.#held
    for (let at = 0; at < block.length; at++) {
      const byte = block[at] ?? 0
      bytes[held] = folded[byte] ?? 0
      held += counts[byte] ?? 0
    }
    const words = held >>> 2
    this.#mixWords(words)
    bytes.copyWithin(0, words * WORD_BYTES, held)
    this.#held = held % WORD_BYTES
  }

  #mixWords(count: number): void {
    let [high, low] = [this.#high, this.#low]
    for (let at = 0; at < count; at++) {
      const word = this.#words[at] ?? 0
      high = step(high, word, MIX_HIGH)
      low = step(low, word, MIX_LOW)
    }
    this.#high = high
    this.#low = low
  }
}

/** Of a normalized hash and what tells apart the lines that have it. */
export function hashExact({ high, low }: Hash, checksum: number): Hash {
  return { high: finish(Math.imul(high ^ checksum, MIX_HIGH)), low: finish(Math.imul(low, MIX_LOW) ^ checksum) }
}

const MIX_HIGH = 0x9e3779b1
const MIX_LOW = 0x85ebca77
/** No byte of what counts. */
const END = 0
/** No class of speakers. */
const IMAGE = textClasses.length
const WORD_BYTES = 4
const BLOCK_BYTES = 64 * 1024
/** Of UTF-8 for one of UTF-16's characters. */
const CHARACTER_BYTES_MAX = 3

/** Of each byte of UTF-8 what it counts as: 0 for white space, which counts as nothing, and small for capital letters. */
const folded = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return byte
  const character = String.fromCharCode(byte)
  return /[\s\0]/.test(character) ? 0 : character.toLowerCase().charCodeAt(0)
})

/** 1 of each byte that counts. */
const counts = folded.map((plain) => (plain === 0 ? 0 : 1))

/** NFKC makes spaces of all other white space. */
const OTHER_SPACE = /[\u1680\u2028\u2029\ufeff]/g
const foldedText = (text: string) => text.normalize('NFKC').toLowerCase().replace(OTHER_SPACE, '')

/** The rotation carries what multiplication only moves upwards down again. */
const step = (hash: number, word: number, factor: number) => Math.imul(((hash << 5) | (hash >>> 27)) ^ word, factor)

/** Source: MurmurHash3's 32-bit finalizer (Austin Appleby, public domain). */
function finish(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
