import { Problem } from '../base/problem'

/**
 * A `multipart/form-data` body (RFC 7578) as its bytes and where its parts are, so that one field can be changed and every other
 * byte forwarded as it came.
 */
export interface Form {
  readonly boundary: string
  readonly parts: readonly FormPart[]
}

export interface FormPart {
  readonly name: string
  /** Undefined for a field that is no file. */
  readonly filename: string | undefined
  /** Of the value, in bytes: [start, end). */
  readonly start: number
  readonly end: number
}

const PARTS_MAX = 100
const PART_HEAD_BYTES_MAX = 16 * 1024
const TEXT_BYTES_MAX = 256 * 1024
const BOUNDARY = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i
const DASHES = '--'
const CRLF = '\r\n'
const SPACE = 0x20
const TAB = 0x09
const BLANKS_MAX = 1_024
const END_OF_HEAD = Buffer.from('\r\n\r\n')

/** Whether a content type says that a body is a form. */
export const isFormType = (contentType: string | null) => /^multipart\/form-data\b/i.test(contentType ?? '')

/**
 * Where the parts of a form are; a problem for bytes that are none. Strict where readers differ (what stands before the first boundary
 * and behind the last, folded lines, names that stand twice): whoever could show us one `model` and the provider another would be
 * served by a deployment that is not his.
 */
export function parseForm(bytes: Buffer, contentType: string | null): Form | Problem {
  const boundary = boundaryOf(contentType)
  if (boundary === undefined) return malformed('The content type must be multipart/form-data with a boundary.')
  const separator = Buffer.from(`${CRLF}${DASHES}${boundary}`)
  const first = startsWith(bytes, 0, CRLF) ? CRLF.length : 0
  if (bytes.indexOf(separator.subarray(CRLF.length)) !== first)
    return malformed('The body does not begin with its boundary.')
  let at = first + separator.length - CRLF.length
  const parts: FormPart[] = []
  while (!startsWith(bytes, at, DASHES)) {
    if (parts.length >= PARTS_MAX) return malformed(`The form has more than ${PARTS_MAX} parts.`)
    const head = endOfBlanks(bytes, at)
    const value = bytes.indexOf(END_OF_HEAD, head) + END_OF_HEAD.length
    if (!startsWith(bytes, head, CRLF)) return malformed('A boundary is not followed by the end of its line.')
    if (value < END_OF_HEAD.length || value - head > PART_HEAD_BYTES_MAX)
      return malformed('The head of a part has no end.')
    // A part without content ends with the line that ends its head.
    const end = bytes.indexOf(separator, value - CRLF.length)
    if (end < 0) return malformed('A part of the form has no end.')
    const names = partNames(bytes.toString('utf8', head, value))
    if (!names) return malformed('A part of the form has no name, or a head that can be read in two ways.')
    parts.push({ ...names, start: value, end: Math.max(end, value) })
    at = end + separator.length
  }
  if (!isBlank(bytes, at + DASHES.length)) return malformed('Something stands behind the end of the form.')
  return { boundary, parts }
}

/** What divides the parts of a form; undefined for a content type that is none of a form. */
export function boundaryOf(contentType: string | null): string | undefined {
  const [, quoted, plain] = BOUNDARY.exec(contentType ?? '') ?? []
  return isFormType(contentType) ? (quoted ?? plain) : undefined
}

/** What the head of a part names it; undefined where it has no name, or one that readers differ on. */
export function partNames(head: string): Pick<FormPart, 'name' | 'filename'> | undefined {
  const lines = head.split(CRLF).filter((line) => line !== '')
  if (!lines.every((line) => HEAD_LINE.test(line))) return undefined
  const [disposition, ...others] = valuesOf(lines, 'content-disposition')
  const encodings = valuesOf(lines, 'content-transfer-encoding')
  if (disposition === undefined || others.length > 0 || !encodings.every((one) => PLAIN_ENCODING.test(one)))
    return undefined
  const parameters = parametersOf(disposition)
  const name = parameters?.get('name')
  if (name === undefined || [...(parameters?.keys() ?? [])].some((key) => key.startsWith('name*'))) return undefined
  return { name, filename: parameters?.get('filename') ?? parameters?.get('filename*') }
}

/** Of RFC 9110; a line that begins with a blank would go on with the one before it. */
const HEAD_LINE = /^[\w!#$%&'*+.^`|~-]+:[^\r\n]*$/
const PLAIN_ENCODING = /^(?:7bit|8bit|binary)$/i

const valuesOf = (lines: readonly string[], name: string) =>
  lines.filter((line) => line.toLowerCase().startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).trim())

/** A name in quotes, or as a word (.NET's forms); a file's name may have quotes that are escaped (curl's), and backslashes. */
const PARAMETER = /;\s*(?:(name|filename)="((?:\\"|[^"])*)"|([\w*-]+)=([^\s;"\\]+)|([\w*-]+)="([^"\\]*)")\s*/iy

/** Undefined for what is not of a form, and for a parameter that stands twice. */
function parametersOf(disposition: string): ReadonlyMap<string, string> | undefined {
  const type = /^form-data\s*/i.exec(disposition)?.[0]
  if (type === undefined) return undefined
  const parameters = new Map<string, string>()
  let at = type.length
  while (at < disposition.length) {
    PARAMETER.lastIndex = at
    const found = PARAMETER.exec(disposition)
    if (!found) return undefined
    const key = (found[1] ?? found[3] ?? found[5] ?? '').toLowerCase()
    const value = found[2] ?? found[4] ?? found[6] ?? ''
    if (parameters.has(key) || (key === 'name' && value.includes('\\'))) return undefined
    parameters.set(key, unescaped(value))
    at = PARAMETER.lastIndex
  }
  return parameters
}

/** Quotes and line breaks within a name come percent-encoded (WHATWG HTML, multipart/form-data encoding algorithm). */
const unescaped = (value: string) => value.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n')

/** The fields that are no files, by name; the first of each. Too long for a field is a problem. */
export function textFields(bytes: Buffer, { parts }: Form): Readonly<Record<string, string>> | Problem {
  const fields: Record<string, string> = {}
  for (const { name, filename, start, end } of parts) {
    if (filename !== undefined || Object.hasOwn(fields, name)) continue
    if (end - start > TEXT_BYTES_MAX) return malformed(`The field "${name.slice(0, 64)}" is too long.`)
    Object.defineProperty(fields, name, { value: bytes.toString('utf8', start, end), enumerable: true })
  }
  return fields
}

/** The same form with some fields set: those that are there get the value, others are put in front. */
export function setFormFields(bytes: Buffer, form: Form, values: Readonly<Record<string, string>>): Buffer {
  const pieces: Buffer[] = []
  const names = new Set(form.parts.map(({ name }) => name))
  for (const [name, value] of Object.entries(values)) {
    if (names.has(name)) continue
    const head = `Content-Disposition: form-data; name="${name}"`
    pieces.push(Buffer.from(`${DASHES}${form.boundary}${CRLF}${head}${CRLF}${CRLF}${value}${CRLF}`))
  }
  let at = Math.max(0, bytes.indexOf(`${DASHES}${form.boundary}`))
  for (const { name, start, end } of form.parts) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) continue
    pieces.push(bytes.subarray(at, start), Buffer.from(value))
    at = end
  }
  pieces.push(bytes.subarray(at))
  return Buffer.concat(pieces)
}

/** Blanks may stand behind a boundary (RFC 2046, 5.1.1). */
function endOfBlanks(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === SPACE || bytes[at] === TAB) at += 1
  return at
}

const isBlank = (bytes: Buffer, from: number) =>
  bytes.length - from <= BLANKS_MAX && /^\s*$/.test(bytes.toString('latin1', from))

const startsWith = (bytes: Buffer, at: number, text: string) => bytes.toString('latin1', at, at + text.length) === text

const malformed = (text: string) => new Problem('invalid_request', text)
