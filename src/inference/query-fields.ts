import type { Problem } from '../base/problem'
import { invalid } from './body-fields'

/** How many things a page of a list has. */
export interface PageBounds {
  readonly limitDefault: number
  readonly limitMax: number
}

/** `limit` of a list, in digits and nothing else: `1e1`, `0x10` and ` 5 ` are numbers only to some readers. */
export function readLimit(query: URLSearchParams, { limitDefault, limitMax }: PageBounds): number | Problem {
  const text = query.get('limit')
  if (text === null) return limitDefault
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return limit >= 1 && limit <= limitMax ? limit : invalid('limit', `must be a whole number from 1 to ${limitMax}`)
}
