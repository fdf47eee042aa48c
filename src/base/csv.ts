export type CsvValue = string | number | boolean | undefined | null

/** Rows as comma-separated values (RFC 4180), the names of the columns first; what is undefined or null is an empty field. */
export const csvOf = (columns: readonly string[], rows: Iterable<readonly CsvValue[]>): string =>
  [columns, ...rows].map((values) => `${values.map(field).join(',')}\r\n`).join('')

export const csvType = 'text/csv; charset=utf-8'

/** Headers of an answer that is saved as a file rather than shown. */
export const csvHeaders = (filename: string): Readonly<Record<string, string>> => ({
  'content-type': csvType,
  'x-content-type-options': 'nosniff',
  'content-disposition': `attachment; filename="${filename}"`,
})

/** Spreadsheets run what begins so as a formula, and a text may be of somebody else's choosing. */
const FORMULA = /^[=+\-@\t\r]/
const QUOTED = /[",\r\n]/
/** A number of ours, also as text: exact decimals are texts. */
const DECIMAL = /^-?\d+(\.\d+)?$/

function field(value: CsvValue): string {
  if (value === undefined || value === null) return ''
  const text = String(value)
  const shown = typeof value === 'string' && FORMULA.test(text) && !DECIMAL.test(text) ? `'${text}` : text
  return QUOTED.test(shown) ? `"${shown.replaceAll('"', '""')}"` : shown
}
