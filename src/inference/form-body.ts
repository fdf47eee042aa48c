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
const END_OF_HEAD = Buffer.from('\r\n\r\n')

/** Whether a content type says that a body is a form. */
export const isFormType = (contentType: string | null) => /^multipart\/form-data\b/i.test(contentType ?? '')

/** Where the parts of a form are; a problem for bytes that are none. */
export function parseForm(bytes: Buffer, contentType: string | null): Form | Problem {
  const boundary = boundaryOf(contentType)
  if (boundary === undefined) return malformed('The content type must be multipart/form-data with a boundary.')
  const line = Buffer.from(`${DASHES}${boundary}`)
  const separator = Buffer.from(`${CRLF}${DASHES}${boundary}`)
  let at = bytes.indexOf(line)
  if (at < 0) return malformed('The body does not hold its boundary.')
  at += line.length
  const parts: FormPart[] = []
  while (!startsWith(bytes, at, DASHES)) {
    if (parts.length >= PARTS_MAX) return malformed(`The form has more than ${PARTS_MAX} parts.`)
    const head = bytes.indexOf(END_OF_HEAD, at)
    const end = bytes.indexOf(separator, head < 0 ? at : head + 2)
    if (head < 0 || end < 0 || head - at > PART_HEAD_BYTES_MAX) return malformed('A part of the form has no end.')
    const part = partOf(
      bytes.toString('utf8', at, head),
      head + END_OF_HEAD.length,
      Math.max(end, head + END_OF_HEAD.length),
    )
    if (!part) return malformed('A part of the form has no name.')
    parts.push(part)
    at = end + separator.length
  }
  return { boundary, parts }
}

/** What divides the parts of a form; undefined for a content type that is none of a form. */
export function boundaryOf(contentType: string | null): string | undefined {
  const [, quoted, plain] = BOUNDARY.exec(contentType ?? '') ?? []
  return isFormType(contentType) ? (quoted ?? plain) : undefined
}

function partOf(head: string, start: number, end: number): FormPart | undefined {
  const names = partNames(head)
  return names && { ...names, start, end }
}

/** What the head of a part names it; undefined where it has no name. */
export function partNames(head: string): Pick<FormPart, 'name' | 'filename'> | undefined {
  const disposition = /^content-disposition:\s*form-data\b(.*)$/im.exec(head)?.[1] ?? ''
  const name = parameter(disposition, 'name')
  return name === undefined ? undefined : { name, filename: parameter(disposition, 'filename') }
}

/** Quotes and line breaks within a name come percent-encoded (WHATWG HTML, multipart/form-data encoding algorithm). */
function parameter(disposition: string, name: string): string | undefined {
  const value = new RegExp(`;\\s*${name}="([^"]*)"`, 'i').exec(disposition)?.[1]
  return value?.replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n')
}

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

const startsWith = (bytes: Buffer, at: number, text: string) => bytes.toString('latin1', at, at + text.length) === text

const malformed = (text: string) => new Problem('invalid_request', text)
