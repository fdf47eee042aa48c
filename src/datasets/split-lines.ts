import { LINE_BYTES_MAX } from './dataset-bounds'

export interface DatasetLine {
  /** Without its end; empty where the line was too long. */
  readonly bytes: Buffer
  /** From 1. */
  readonly number: number
  /** Of its first byte in the file, a byte order mark not counted as part of it. */
  readonly byteOffset: number
  /** The whole of it, also where it was too long to be held. */
  readonly length: number
}

const NEWLINE = 0x0a
const RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * Cuts a file into lines as its pieces come; holds no more than one line, and nothing of one that is longer than
 * `LINE_BYTES_MAX`. Accepts a byte order mark, which Azure's documentation asks for and its service does not need, and
 * ends of `\r\n`: JSON takes the `\r` for white space.
 */
export class LineSplitter {
  #held: Buffer[] = []
  /** Of the line that is not yet ended, also where nothing of it is held. */
  #length = 0
  #number = 0
  #offset = 0;

  /** The lines that end in this piece. They are views of it: use each before the piece is used again. */
  *push(piece: Uint8Array): Generator<DatasetLine> {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      yield this.#end(bytes.subarray(start, end), 1)
      start = end + 1
    }
    if (start < bytes.length) this.#hold(bytes.subarray(start))
  }

  /** The last line, where the file does not end with a line's end. */
  last(): DatasetLine | undefined {
    return this.#length === 0 ? undefined : this.#end(Buffer.alloc(0), 0)
  }

  #hold(piece: Buffer): void {
    this.#length += piece.length
    if (this.#length > LINE_BYTES_MAX) this.#held = []
    // A copy: the piece's memory may be the reader's to use again.
    else this.#held.push(Buffer.from(piece))
  }

  #end(piece: Buffer, endBytes: number): DatasetLine {
    const length = this.#length + piece.length
    const whole = length > LINE_BYTES_MAX ? piece.subarray(0, 0) : this.#join(piece)
    this.#number += 1
    const marked = this.#number === 1 && whole.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    const start = marked ? BYTE_ORDER_MARK.length : 0
    const line = {
      bytes: whole.subarray(start, whole.at(-1) === RETURN ? -1 : undefined),
      number: this.#number,
      byteOffset: this.#offset + start,
      length,
    }
    this.#offset += length + endBytes
    this.#held = []
    this.#length = 0
    return line
  }

  #join(piece: Buffer): Buffer {
    return this.#held.length === 0 ? piece : Buffer.concat([...this.#held, piece])
  }
}
