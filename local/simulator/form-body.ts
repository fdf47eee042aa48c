import type { JsonObject } from './json-value'

/** A file of a form; its bytes are a part of the body that they came in, not a copy. */
export interface FormFile {
  readonly name: string
  readonly filename: string
  readonly type: string
  readonly bytes: Buffer
}

export interface Form {
  /** All values of each field that is no file, in their order. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  readonly files: readonly FormFile[]
}

const PARTS_MAX = 1_000
const BLANK_LINE = Buffer.from('\r\n\r\n')
const BOUNDARY = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i

/** Reads `multipart/form-data` (RFC 7578). Undefined where the body is none, or is cut off. */
export function parseForm(contentType: string | undefined, body: Buffer): Form | undefined {
  if (contentType === undefined || !contentType.toLowerCase().startsWith('multipart/form-data')) return undefined
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? []
  const boundary = quoted ?? plain
  if (boundary === undefined) return undefined
  const parts = partsOf(body, boundary)
  return parts && formOf(parts)
}

/** The fields as a JSON body would have them: `include[]` is a list, and of a field that comes twice the last counts. */
export function fieldsOf({ fields }: Form): JsonObject {
  const entries = [...fields].map(([name, values]) =>
    name.endsWith('[]') ? [name.slice(0, -'[]'.length), values] : [name, values.at(-1)],
  )
  return Object.fromEntries(entries) as JsonObject
}

/** What stands between the boundaries; undefined where the last one is missing. */
function partsOf(body: Buffer, boundary: string): Buffer[] | undefined {
  const opening = Buffer.from(`--${boundary}`)
  const between = Buffer.from(`\r\n--${boundary}`)
  const parts: Buffer[] = []
  let at = body.indexOf(opening)
  if (at < 0) return undefined
  at += opening.length
  while (parts.length < PARTS_MAX) {
    if (body[at] === 0x2d && body[at + 1] === 0x2d) return parts
    const end = body.indexOf(between, at)
    if (end < 0) return undefined
    // After a boundary comes a line break, which is no part of what follows.
    parts.push(body.subarray(at + 2, end))
    at = end + between.length
  }
  return undefined
}

function formOf(parts: readonly Buffer[]): Form | undefined {
  const fields = new Map<string, string[]>()
  const files: FormFile[] = []
  for (const part of parts) {
    const end = part.indexOf(BLANK_LINE)
    if (end < 0) return undefined
    const headers = part.toString('utf8', 0, end)
    const disposition = /^content-disposition:(.*)$/im.exec(headers)?.[1] ?? ''
    const name = parameter(disposition, 'name')
    if (name === undefined) return undefined
    const bytes = part.subarray(end + BLANK_LINE.length)
    const filename = parameter(disposition, 'filename')
    if (filename === undefined) fields.set(name, [...(fields.get(name) ?? []), bytes.toString()])
    else files.push({ name, filename, type: typeOf(headers), bytes })
  }
  return { fields, files }
}

const typeOf = (headers: string): string =>
  /^content-type:\s*(\S[^\r\n]*)$/im.exec(headers)?.[1] ?? 'application/octet-stream'

/** Browsers and SDKs write `%22` for a quote within a name. */
function parameter(disposition: string, name: string): string | undefined {
  const value = new RegExp(`;\\s*${name}="([^"]*)"`, 'i').exec(disposition)?.[1]
  return value?.replaceAll('%22', '"')
}
