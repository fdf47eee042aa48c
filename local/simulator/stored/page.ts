import { readChoice, refuse } from '../request-fields'

/** A page of a list, as the service's lists are: `after` and `before` are ids, and `order` is that of their making. */
export interface Paging {
  readonly limitDefault: number
  readonly limitMax: number
}

/** The page that a query asks for, of things in the order in which they were made. Throws InvalidRequest. */
export function readPage<T extends { readonly id: string }>(
  query: URLSearchParams,
  made: readonly T[],
  { limitDefault, limitMax }: Paging,
): { object: 'list'; data: readonly T[]; first_id: string | null; last_id: string | null; has_more: boolean } {
  const limit = readLimit(query.get('limit'), limitDefault, limitMax)
  const order = readChoice(query.get('order') ?? 'desc', 'order', ['asc', 'desc'])
  const ordered = order === 'asc' ? made : made.toReversed()
  const after = place(ordered, query.get('after'), 'after')
  const before = place(ordered, query.get('before'), 'before')
  const rest = ordered.slice(after === undefined ? 0 : after + 1, before)
  const data = rest.slice(0, limit)
  const [first] = data
  return {
    object: 'list',
    data,
    first_id: first?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: rest.length > data.length,
  }
}

function readLimit(text: string | null, limitDefault: number, limitMax: number): number {
  if (text === null) return limitDefault
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= limitMax) return limit
  return refuse(`Invalid 'limit': expected a whole number from 1 to ${limitMax}.`, 'limit', 'invalid_value')
}

function place(things: readonly { readonly id: string }[], id: string | null, param: string): number | undefined {
  if (id === null) return undefined
  const index = things.findIndex((thing) => thing.id === id)
  return index < 0 ? refuse(`Invalid '${param}': no item with id '${id}'.`, param, 'invalid_value') : index
}
