import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from './json-characters'

const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const LOWER_E = 0x65
const LOWER_F = 0x66
const LOWER_T = 0x74
/** Nothing that a model answers is nested near this. */
const DEPTH_MAX = 200
/** Behind what is no JSON. */
const NOWHERE = -1
/** Of a string: so many bytes are looked at one by one before the engine is asked for its end, since asking is dear. */
const LOOKED_AT_MAX = 48
const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')

/** Which containers are open, the outermost first: CLOSE_BRACE or CLOSE_BRACKET. Of one call at a time, since nothing is awaited. */
const open = new Uint8Array(DEPTH_MAX)

/**
 * Whether the bytes are one JSON object by the grammar of RFC 8259, but for what stands between the quotes of a string: escapes are
 * not looked at. Takes a tenth of what parsing takes, and makes nothing.
 */
export function isJsonObject(bytes: Buffer): boolean {
  let at = skipSpace(bytes, 0)
  if (bytes[at] !== OPEN_BRACE) return false
  let depth = 0
  // Each turn begins where a value does.
  for (;;) {
    const first = bytes[at]
    if (first === OPEN_BRACE || first === OPEN_BRACKET) {
      if (depth === DEPTH_MAX) return false
      const close = first === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET
      open[depth++] = close
      at = skipSpace(bytes, at + 1)
      if (bytes[at] !== close) {
        if (close === CLOSE_BRACE) at = valueOfMember(bytes, at)
        if (at === NOWHERE) return false
        continue
      }
      depth -= 1
      at += 1
    } else {
      at = first === QUOTE ? endOfString(bytes, at) : endOfScalar(bytes, at)
      if (at === NOWHERE) return false
    }
    // Behind a value: the containers that end with it, up to one that goes on.
    for (;;) {
      at = skipSpace(bytes, at)
      if (depth === 0) return at === bytes.length
      const close = open[depth - 1]
      if (bytes[at] !== close) break
      depth -= 1
      at += 1
    }
    if (bytes[at] !== COMMA) return false
    at = skipSpace(bytes, at + 1)
    if (open[depth - 1] === CLOSE_BRACE) at = valueOfMember(bytes, at)
    if (at === NOWHERE) return false
  }
}

/** Where the value of the member that begins at `at` begins. */
function valueOfMember(bytes: Buffer, at: number): number {
  if (bytes[at] !== QUOTE) return NOWHERE
  const end = endOfString(bytes, at)
  return end === NOWHERE ? NOWHERE : valueBehind(bytes, end)
}

/** Where the value begins whose key ends at `keyEnd`; -1 where there is no colon between them. */
export function valueBehind(bytes: Buffer, keyEnd: number): number {
  const colon = skipSpace(bytes, keyEnd)
  return bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : NOWHERE
}

/** The index behind the string whose first quote is at `quote`. */
function endOfString(bytes: Buffer, quote: number): number {
  const lookedAtTo = Math.min(bytes.length, quote + LOOKED_AT_MAX)
  for (let at = quote + 1; at < lookedAtTo; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) at += 1
  }
  for (let end = bytes.indexOf(QUOTE, quote + 1); end !== -1; end = bytes.indexOf(QUOTE, end + 1)) {
    let backslashes = 0
    while (bytes[end - 1 - backslashes] === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return end + 1
  }
  return NOWHERE
}

function endOfScalar(bytes: Buffer, at: number): number {
  const first = bytes[at]
  if (first === MINUS || isDigit(first)) return endOfNumber(bytes, at)
  const literal = first === LOWER_T ? TRUE : first === LOWER_F ? FALSE : NULL
  for (let i = 0; i < literal.length; i++) if (bytes[at + i] !== literal[i]) return NOWHERE
  return at + literal.length
}

function endOfNumber(bytes: Buffer, start: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start
  const first = bytes[at]
  if (!isDigit(first)) return NOWHERE
  at = first === ZERO ? at + 1 : behindDigits(bytes, at)
  if (bytes[at] === POINT) {
    if (!isDigit(bytes[at + 1])) return NOWHERE
    at = behindDigits(bytes, at + 1)
  }
  if (((bytes[at] ?? 0) | SPACE) === LOWER_E) {
    const sign = bytes[at + 1]
    const digits = sign === PLUS || sign === MINUS ? at + 2 : at + 1
    if (!isDigit(bytes[digits])) return NOWHERE
    at = behindDigits(bytes, digits)
  }
  return at
}

function behindDigits(bytes: Buffer, start: number): number {
  let at = start
  while (isDigit(bytes[at])) at += 1
  return at
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE

function skipSpace(bytes: Buffer, start: number): number {
  let at = start
  while (at < bytes.length && isSpace(bytes[at])) at += 1
  return at
}

const isSpace = (byte = 0): boolean =>
  byte <= SPACE && (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09)
