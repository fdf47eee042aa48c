import { isUtf8 } from 'node:buffer'
import { DENSE_LINE_BYTES, LINE_BYTES_MAX, LINE_SYMBOLS_MAX } from './dataset-bounds'
import type { FaultList } from './fault-list'
import type { DatasetLine } from './split-lines'

/** The value of a line; undefined where it has none, which is a fault then. */
export function readLine({ bytes, length }: DatasetLine, faults: FaultList): unknown {
  if (length > LINE_BYTES_MAX) return faults.add('line_too_long', '', `The line has ${length} bytes.`)
  if (!isUtf8(bytes)) return faults.add('not_utf8', '', 'The line has bytes that are not UTF-8.')
  if (bytes.length > DENSE_LINE_BYTES && isDense(bytes))
    return faults.add('line_too_dense', '', 'The line has more lists, objects and commas than any example.')
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return value
  } catch (error) {
    return faults.add('invalid_json', '', reasonOf(error))
  }
}

/** UTF-16 with its mark, as spreadsheets and older shells write it. */
export const isUtf16 = (bytes: Buffer): boolean =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)

/** Only short ones are looked at: JSON does not begin with kilobytes of nothing. */
const BLANK_BYTES_MAX = 1_024

export const isBlank = ({ bytes, length }: DatasetLine): boolean =>
  length <= BLANK_BYTES_MAX && (bytes.length === 0 || (isWhite(bytes[0]) && bytes.toString('latin1').trim() === ''))

const isWhite = (byte: number | undefined) => byte === 0x20 || byte === 0x09 || byte === 0x0d

function isDense(bytes: Buffer): boolean {
  let symbols = 0
  for (const byte of bytes) if (byte === 0x2c || byte === 0x5b || byte === 0x7b) symbols += 1
  return symbols > LINE_SYMBOLS_MAX
}

/** The parser's own words quote the line; only the place is taken from them. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error ? error.message : ''
  const [, position] = / at position (\d+)/.exec(said) ?? []
  if (position !== undefined) return `The JSON breaks off at character ${Number(position) + 1} of the line.`
  if (said.startsWith('Unexpected end'))
    return 'The line ends before its JSON does: is the object spread over several lines?'
  return 'The line is not JSON.'
}
