import { Problem, ProblemError } from '../base/problem'
import { boundaryOf, partNames } from '../inference/form-body'

/** A part of a form, as it comes. The content of a file is read to its end before the next part is asked for, or is passed over. */
export type FormPart =
  | { readonly kind: 'field'; readonly name: string; readonly value: string }
  | {
      readonly kind: 'file'
      readonly name: string
      readonly filename: string
      readonly content: AsyncIterable<Uint8Array>
    }

const PARTS_MAX = 32
const HEAD_BYTES_MAX = 16 * 1024
const FIELD_BYTES_MAX = 64 * 1024
const AROUND_BYTES_MAX = 64 * 1024
/** As much as the largest body that is taken. */
const PASSED_OVER_BYTES_MAX = 513 * 1024 * 1024
const CRLF = '\r\n'
const DASHES = '--'
const END_OF_HEAD = Buffer.from('\r\n\r\n')
const END_OF_LINE = Buffer.from(CRLF)

/**
 * Reads a `multipart/form-data` body (RFC 7578) with the memory of one of its pieces. Rejects with `ProblemError` for what is
 * none, and as the body does.
 */
export async function* readForm(body: AsyncIterable<Uint8Array>, contentType: string | null): AsyncGenerator<FormPart> {
  const boundary = boundaryOf(contentType)
  if (boundary === undefined) throw malformed('The content type must be multipart/form-data with a boundary.')
  const separator = Buffer.from(`${CRLF}${DASHES}${boundary}`)
  const source = new FormSource(body)
  try {
    await source.collect(separator, AROUND_BYTES_MAX, 'The body does not hold its boundary.')
    for (let parts = 0; !(await source.startsWith(DASHES)); parts++) {
      if (parts >= PARTS_MAX) throw malformed(`The form has more than ${PARTS_MAX} parts.`)
      // Blanks may stand behind a boundary (RFC 2046, 5.1.1).
      await source.collect(END_OF_LINE, HEAD_BYTES_MAX, 'A part of the form has no head.')
      const head = await source.collect(END_OF_HEAD, HEAD_BYTES_MAX, 'A part of the form has no head.')
      const names = partNames(head.toString())
      if (!names) throw malformed('A part of the form has no name.')
      const { name, filename } = names
      if (filename === undefined) {
        const value = await source.collect(separator, FIELD_BYTES_MAX, `The field "${name.slice(0, 64)}" is too long.`)
        yield { kind: 'field', name, value: value.toString() }
        continue
      }
      const content = new PartContent(source.upTo(separator))
      yield { kind: 'file', name, filename, content }
      if (!content.isWhole) await source.skip(separator)
    }
  } finally {
    await source.passOver(PASSED_OVER_BYTES_MAX)
  }
}

const malformed = (text: string) => new ProblemError(new Problem('invalid_request', text))
const noEnd = 'A part of the form has no end.'

/** Knows whether it was read to its end. */
class PartContent implements AsyncIterable<Uint8Array> {
  isWhole = false
  readonly pieces: AsyncIterable<Uint8Array>

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.pieces = pieces
  }

  async *[Symbol.asyncIterator]() {
    yield* this.pieces
    this.isWhole = true
  }
}

/** The body, read up to one mark after the other. */
class FormSource {
  /** As if a line ended before the body: a boundary stands at the beginning of a line. */
  #held: Buffer = Buffer.from(CRLF)
  readonly #pieces: AsyncIterator<Uint8Array>

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#pieces = body[Symbol.asyncIterator]()
  }

  /** What stands before the mark, piece by piece; takes the mark too. */
  async *upTo(mark: Buffer): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#held.indexOf(mark)
      if (at >= 0) {
        if (at > 0) yield this.#take(at)
        this.#take(mark.length)
        return
      }
      // The end of what is held may be the beginning of the mark.
      const sure = this.#held.length - mark.length + 1
      if (sure > 0) yield this.#take(sure)
      if (!(await this.#more())) throw malformed(noEnd)
    }
  }

  async skip(mark: Buffer): Promise<void> {
    const pieces = this.upTo(mark)
    while (!(await pieces.next()).done);
  }

  /** The same at once. */
  async collect(mark: Buffer, bytesMax: number, problem: string): Promise<Buffer> {
    const pieces: Buffer[] = []
    let bytes = 0
    for await (const piece of this.upTo(mark)) {
      bytes += piece.length
      if (bytes > bytesMax) throw malformed(problem)
      pieces.push(piece)
    }
    return Buffer.concat(pieces)
  }

  async startsWith(text: string): Promise<boolean> {
    while (this.#held.length < text.length) if (!(await this.#more())) throw malformed(noEnd)
    return this.#held.toString('latin1', 0, text.length) === text
  }

  /**
   * Takes the rest and forgets it: whoever is refused in the midst of what it sends hears why only when it has sent all of it,
   * and a connection that is closed on it before tells nothing.
   */
  async passOver(bytesMax: number): Promise<void> {
    try {
      for (let bytes = 0; bytes < bytesMax; bytes += this.#held.length) {
        this.#held = Buffer.alloc(0)
        if (!(await this.#more())) return
      }
    } catch {
      // It stands still or was cut off: nobody listens.
    } finally {
      await this.#pieces.return?.()
    }
  }

  #take(bytes: number): Buffer {
    const taken = this.#held.subarray(0, bytes)
    this.#held = this.#held.subarray(bytes)
    return taken
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#pieces.next()
    if (done) return false
    const piece = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    this.#held = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece])
    return true
  }
}
