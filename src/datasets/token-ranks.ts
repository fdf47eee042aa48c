import { readFile } from 'node:fs/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { assert } from '../base/assert'

/** The tokens of an encoding, each with its rank: the earlier two pieces of text were merged in training, the lower. */
export interface TokenRanks {
  /** Of the bytes from `start` to `end`; `NO_RANK` where they are no token. */
  rankOf(bytes: Uint8Array, start: number, end: number): number
}

export const NO_RANK = 0xffff_ffff

/** Two thirds of the slots stay free: most searches end at the first. */
const SLOTS = 2 ** 19
const TOKENS_MAX = SLOTS / 2
const TOKEN_BYTES_MAX = 8
/** Lines that are read before others have their turn. */
const LINES_AT_ONCE = 5_000
const NEWLINE = 0x0a
const SPACE = 0x20

/**
 * The ranks of o200k_base in 5 MB of memory. The package's own tables, which count prompts elsewhere, are strings in maps
 * and take 75 MB: too much beside everything else that an instance holds while it reads a dataset.
 */
export async function loadTokenRanks(): Promise<TokenRanks> {
  // Lines of a token in base64, a space and its rank. Source: OpenAI's tiktoken.
  const file = await readFile(require.resolve('gpt-tokenizer/data/o200k_base.tiktoken'))
  const table = new RankTable(file.length)
  let lines = 0
  for (let start = 0; start < file.length; lines++) {
    const newline = file.indexOf(NEWLINE, start)
    const end = newline < 0 ? file.length : newline
    const space = file.indexOf(SPACE, start)
    table.add(file.toString('latin1', start, space), Number(file.toString('latin1', space + 1, end)))
    start = end + 1
    if (lines % LINES_AT_ONCE === 0) await nextTurn()
  }
  return table
}

/** Tokens by their bytes: open addressing, nothing is ever removed. */
class RankTable implements TokenRanks {
  /** Rank + 1; 0 for a free slot. */
  readonly #slots = new Uint32Array(SLOTS)
  /** By rank, where its bytes begin, and how many they are. */
  readonly #starts = new Uint32Array(TOKENS_MAX)
  readonly #lengths = new Uint8Array(TOKENS_MAX)
  readonly #bytes: Buffer
  #end = 0

  constructor(bytesMax: number) {
    this.#bytes = Buffer.alloc(Math.min(bytesMax, TOKENS_MAX * TOKEN_BYTES_MAX))
  }

  add(base64: string, rank: number): void {
    assert(Number.isInteger(rank) && rank >= 0 && rank < TOKENS_MAX, 'a rank is the number of a token')
    const start = this.#end
    this.#end += this.#bytes.write(base64, start, 'base64')
    this.#starts[rank] = start
    this.#lengths[rank] = this.#end - start
    let slot = hashOf(this.#bytes, start, this.#end)
    while (this.#slots[slot] !== 0) slot = (slot + 1) % SLOTS
    this.#slots[slot] = rank + 1
  }

  rankOf(bytes: Uint8Array, start: number, end: number): number {
    for (let slot = hashOf(bytes, start, end); ; slot = (slot + 1) % SLOTS) {
      const rank = (this.#slots[slot] ?? 0) - 1
      if (rank < 0) return NO_RANK
      if (this.#lengths[rank] === end - start && this.#isAt(this.#starts[rank] ?? 0, bytes, start, end)) return rank
    }
  }

  #isAt(place: number, bytes: Uint8Array, start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (this.#bytes[place + at - start] !== bytes[at]) return false
    return true
  }
}

/** FNV-1a, folded to a slot. Source: Fowler, Noll and Vo. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193)
  return ((hash >>> 13) ^ hash) & (SLOTS - 1)
}
