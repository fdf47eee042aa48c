import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  closingQuote,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from './json-characters'

/**
 * Finds the top-level fields of a JSON object in its bytes, so that one field can be changed and every other byte
 * forwarded as it came: re-serialising would round large integers and reformat numbers.
 * The bytes must already have been accepted by `JSON.parse`; this only looks for where things are.
 */
export interface FieldSpan {
  /** Of the value, in bytes: [start, end). */
  readonly start: number
  readonly end: number
}

export interface JsonFields {
  readonly spans: ReadonlyMap<string, FieldSpan>
  /** The first key that occurs twice. Parsers disagree on which counts, so such a body is refused. */
  readonly duplicate: string | undefined
}

/**
 * Scans a Latin-1 view of the bytes, in which a character's index is its byte's: all that is looked for is ASCII, and strings are
 * searched several times faster than buffers.
 */
export function findFields(bytes: Buffer): JsonFields {
  const text = bytes.toString('latin1')
  const spans = new Map<string, FieldSpan>()
  let duplicate: string | undefined
  let at = text.indexOf('{') + 1
  for (;;) {
    const keyStart = text.indexOf('"', at)
    if (keyStart < 0) break
    const keyEnd = behindString(text, keyStart)
    const key = keyOf(bytes, text, keyStart + 1, keyEnd - 1)
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const end = endOfValue(text, start)
    if (spans.has(key)) duplicate ??= key
    spans.set(key, { start, end })
    at = skipSpace(text, end)
    if (text.charCodeAt(at) !== COMMA) break
    at += 1
  }
  return { spans, duplicate }
}

export interface FieldEdit {
  readonly key: string
  /** JSON text of the new value. */
  readonly value: string
}

/** The same object with some top-level fields set; all other bytes are untouched. */
export function setFields(bytes: Buffer, fields: JsonFields, edits: readonly FieldEdit[]): Buffer {
  const added = edits.filter(({ key }) => !fields.spans.has(key))
  const replaced = edits
    .map((edit) => ({ edit, span: fields.spans.get(edit.key) }))
    .filter((item): item is { edit: FieldEdit; span: FieldSpan } => item.span !== undefined)
    .sort((a, b) => a.span.start - b.span.start)

  const open = bytes.indexOf(OPEN_BRACE) + 1
  const inserted = added.map(({ key, value }) => `${JSON.stringify(key)}:${value}`).join(',')
  const pieces: Buffer[] = [bytes.subarray(0, open)]
  if (inserted) pieces.push(Buffer.from(fields.spans.size > 0 ? `${inserted},` : inserted))
  let at = open
  for (const { edit, span } of replaced) {
    pieces.push(bytes.subarray(at, span.start), Buffer.from(edit.value))
    at = span.end
  }
  pieces.push(bytes.subarray(at))
  return Buffer.concat(pieces)
}

const PLAIN_KEY = /^[\x20-\x5b\x5d-\x7e]*$/

function keyOf(bytes: Buffer, text: string, start: number, end: number): string {
  const plain = text.slice(start, end)
  return PLAIN_KEY.test(plain) ? plain : (JSON.parse(`"${bytes.toString('utf8', start, end)}"`) as string)
}

const behindString = (text: string, start: number): number => closingQuote(text, start + 1) + 1

function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === QUOTE) return behindString(text, start)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfContainer(text, start)
  let at = start
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === COMMA || code === CLOSE_BRACE || code <= SPACE) break
  }
  return at
}

function endOfContainer(text: string, start: number): number {
  let depth = 0
  let at = start
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = behindString(text, at)
      continue
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1
    at += 1
    if (depth === 0) return at
  }
  return at
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= SPACE) at += 1
  return at
}
