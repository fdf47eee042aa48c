import { hashText, mixHash, seededRandom } from './random'

/** Places in the vector that one word moves. */
const PLACES_PER_WORD = 24
/** How much the exact text, beside its words, tells two texts apart. */
const TEXT_WEIGHT = 0.15

/**
 * A unit vector of `dimensions` for a text, the same for the same text. Each word moves the places that its hash picks,
 * so texts that share words are near each other, as a semantic cache or a search needs; every text adds a little of its
 * own. Shorter vectors are the beginning of the longest, made unit again, as the text-embedding-3 models do it.
 */
export function embeddingVector(text: string, size: { full: number; wanted: number }): Float32Array {
  const vector = new Float32Array(size.full)
  for (const word of text.toLowerCase().split(/[^\p{L}\p{N}]+/u)) {
    if (word !== '') addWord(vector, hashText(word))
  }
  const own = seededRandom(hashText(text))
  let norm = Math.sqrt(squares(vector))
  const scale = (norm === 0 ? 1 : norm * TEXT_WEIGHT) / Math.sqrt(size.full / 3)
  for (let index = 0; index < vector.length; index++) vector[index] = (vector[index] ?? 0) + (own() * 2 - 1) * scale
  const wanted = vector.subarray(0, size.wanted)
  norm = Math.sqrt(squares(wanted))
  for (let index = 0; index < wanted.length; index++) wanted[index] = (wanted[index] ?? 0) / norm
  return wanted.slice()
}

function addWord(vector: Float32Array, hash: number): void {
  let mixed = hash
  for (let place = 0; place < PLACES_PER_WORD; place++) {
    mixed = mixHash(mixed, place + 1)
    const index = mixed % vector.length
    vector[index] = (vector[index] ?? 0) + (mixed & 0x8000_0000 ? 1 : -1)
  }
}

function squares(vector: Float32Array): number {
  let sum = 0
  for (const value of vector) sum += value * value
  return sum
}

/** Little-endian float32, as `encoding_format: "base64"` is defined. */
export function vectorBase64(vector: Float32Array): string {
  const bytes = Buffer.allocUnsafe(vector.length * 4)
  for (let index = 0; index < vector.length; index++) bytes.writeFloatLE(vector[index] ?? 0, index * 4)
  return bytes.toString('base64')
}

/** Nine significant digits carry a float32 exactly. */
export function vectorJson(vector: Float32Array): string {
  return `[${Array.from(vector, (value) => Number(value.toPrecision(9))).join(',')}]`
}
