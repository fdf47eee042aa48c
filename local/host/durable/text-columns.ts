/** A string property of an Azure table holds 32,768 UTF-16 characters at most. */
const CHUNK_CHARACTERS = 30_000
const CHUNKS_MAX = 14

/** Longer texts do not fit beside others in a row of 1 MiB and go to a blob. */
export const inlineCharactersMax = CHUNK_CHARACTERS * CHUNKS_MAX

export type Columns = Record<string, string | number | boolean | Date>

/** Spreads a text over columns `<name>0`, `<name>1`, …; their number in `<name>n` lets a shorter text overwrite a longer. */
export function toColumns(name: string, text: string): Columns {
  const columns: Columns = { [`${name}n`]: Math.ceil(text.length / CHUNK_CHARACTERS) }
  for (let i = 0; i * CHUNK_CHARACTERS < text.length; i++) {
    columns[`${name}${i}`] = text.slice(i * CHUNK_CHARACTERS, (i + 1) * CHUNK_CHARACTERS)
  }
  return columns
}

/** Undefined when the row has no such text. */
export function fromColumns(name: string, row: Readonly<Record<string, unknown>>): string | undefined {
  const count = row[`${name}n`]
  if (typeof count !== 'number') return undefined
  let text = ''
  for (let i = 0; i < count; i++) {
    const chunk = row[`${name}${i}`]
    if (typeof chunk !== 'string') throw new Error(`column ${name}${i} of ${count} is missing`)
    text += chunk
  }
  return text
}
