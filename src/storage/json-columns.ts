import { throwProblem } from '../base/problem'
import type { Columns } from './partition-table'

/** A JSON document as the properties of a table row: `json0`, `json1`, … */
export type JsonColumns = Columns

/** A string property holds 64 KiB of UTF-16, which is 32 Ki characters. */
const CHUNK_CHARACTERS = 32_000
/** 13 chunks stay below the 1 MiB of an entity, keys and other columns included. */
export const documentCharactersMax = 13 * CHUNK_CHARACTERS

/** Throws an `invalid_request` problem where the document would not fit a row. */
export function toJsonColumns(value: unknown): JsonColumns {
  const text = JSON.stringify(value)
  if (text.length > documentCharactersMax)
    throwProblem(
      'invalid_request',
      `This would take ${text.length} characters to store; ${documentCharactersMax} is the most.`,
    )
  const columns: JsonColumns = {}
  for (let start = 0, i = 0; start < text.length; start += CHUNK_CHARACTERS, i++)
    columns[`json${i}`] = text.slice(start, start + CHUNK_CHARACTERS)
  return columns
}

/** Reads what `toJsonColumns` wrote; the caller says of which type that was. */
export function fromJsonColumns<T>(columns: JsonColumns): T {
  let text = ''
  for (let i = 0; ; i++) {
    const chunk = columns[`json${i}`]
    if (typeof chunk !== 'string') break
    text += chunk
  }
  return JSON.parse(text) as T
}
