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

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

export function findFields(bytes: Buffer): JsonFields {
  const spans = new Map<string, FieldSpan>()
  let duplicate: string | undefined
  let at = bytes.indexOf(OPEN_BRACE) + 1
  for (;;) {
    const keyStart = bytes.indexOf(QUOTE, at)
    if (keyStart < 0) break
    const keyEnd = endOfString(bytes, keyStart)
    const key = keyOf(bytes, keyStart, keyEnd)
    const start = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1)
    const end = endOfValue(bytes, start)
    if (spans.has(key)) duplicate ??= key
    spans.set(key, { start, end })
    at = skipSpace(bytes, end)
    if (bytes[at] !== COMMA) break
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

function keyOf(bytes: Buffer, start: number, end: number): string {
  const raw = bytes.toString('utf8', start + 1, end - 1)
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
}

/** The index behind the closing quote of the string that opens at `start`. */
function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1
  for (;;) {
    const quote = bytes.indexOf(QUOTE, at)
    if (quote < 0) return bytes.length
    let backslashes = 0
    while (bytes[quote - 1 - backslashes] === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return quote + 1
    at = quote + 1
  }
}

function endOfValue(bytes: Buffer, start: number): number {
  const first = bytes[start]
  if (first === QUOTE) return endOfString(bytes, start)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return endOfContainer(bytes, start)
  let at = start
  for (; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === COMMA || byte === CLOSE_BRACE || byte <= 0x20) break
  }
  return at
}

function endOfContainer(bytes: Buffer, start: number): number {
  let depth = 0
  let at = start
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      at = endOfString(bytes, at)
      continue
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1
    at += 1
    if (depth === 0) return at
  }
  return at
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from
  while ((bytes[at] ?? 0x21) <= 0x20) at += 1
  return at
}
