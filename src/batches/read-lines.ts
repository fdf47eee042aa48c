import { setImmediate as nextTurn } from 'node:timers/promises'

/** As much as a call's body may have: what is longer is no request. */
export const LINE_BYTES_MAX = 20 * 1024 * 1024
/** So much is read at one time before others have their turn: a large file must not hold up calls of this instance. */
const TURN_BYTES = 512 * 1024
const NEWLINE = 0x0a
const RETURN = 0x0d

/** A line too long is cut there, which no parser takes. */
export interface FileLine {
  /** Without its end. */
  readonly bytes: Buffer
  /** From 1. */
  readonly number: number
}

/** The lines of a file as it comes that are not blank; holds one of them at a time. */
export async function* readLines(file: AsyncIterable<Uint8Array>): AsyncGenerator<FileLine> {
  const held = new HeldLine()
  let number = 0
  let turnBytes = 0
  for await (const piece of file) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    for (let start = 0; start < bytes.length;) {
      const end = bytes.indexOf(NEWLINE, start)
      if (end < 0) {
        held.add(bytes.subarray(start))
        break
      }
      const line = held.end(bytes.subarray(start, end))
      number += 1
      turnBytes += line.length
      if (!isBlank(line)) yield { bytes: line, number }
      start = end + 1
      if (turnBytes < TURN_BYTES) continue
      turnBytes = 0
      await nextTurn()
    }
  }
  const last = held.end(Buffer.alloc(0))
  if (!isBlank(last)) yield { bytes: last, number: number + 1 }
}

/** The beginning of a line whose end has not come yet. */
class HeldLine {
  #pieces: Buffer[] = []
  #bytes = 0

  add(piece: Buffer): void {
    const room = LINE_BYTES_MAX - this.#bytes
    if (room <= 0 || piece.length === 0) return
    const kept = piece.subarray(0, room)
    this.#pieces.push(kept)
    this.#bytes += kept.length
  }

  end(piece: Buffer): Buffer {
    const whole = this.#pieces.length === 0 ? piece.subarray(0, LINE_BYTES_MAX) : this.#join(piece)
    return whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole
  }

  #join(piece: Buffer): Buffer {
    this.add(piece)
    const whole = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#bytes = 0
    return whole
  }
}

/** Only short ones are looked at: JSON does not begin with kilobytes of nothing. */
const BLANK_BYTES_MAX = 1_024

function isBlank(line: Buffer): boolean {
  return line.length <= BLANK_BYTES_MAX && line.toString('latin1').trim() === ''
}
