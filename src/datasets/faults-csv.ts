import type { Fault } from './fault-list'

const COLUMNS = ['line', 'byteOffset', 'severity', 'code', 'path', 'reason', 'valid'] as const

/** Faults as comma-separated values (RFC 4180), the names of the columns first. */
export const faultsCsv = (faults: readonly Fault[]): string =>
  [COLUMNS.map(String), ...faults.map((fault) => COLUMNS.map((column) => cell(fault[column])))]
    .map((cells) => `${cells.join(',')}\r\n`)
    .join('')

/** Spreadsheets run what begins so as a formula, and a path may have a key that somebody else chose. */
const FORMULA = /^[=+\-@\t\r]/
const QUOTED = /[",\r\n]/

function cell(value: string | number | undefined): string {
  if (value === undefined) return ''
  const text = typeof value === 'string' && FORMULA.test(value) ? `'${value}` : String(value)
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
