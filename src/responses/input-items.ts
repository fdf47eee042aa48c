import { Problem } from '../base/problem'
import { invalid } from '../inference/body-fields'
import { readLimit } from '../inference/query-fields'
import type { WholeAnswer } from './held-responses'

/** A page of what a response read, as OpenAI's `ResponseItemList`. */
export interface InputPage {
  readonly object: 'list'
  readonly data: readonly unknown[]
  readonly first_id: string | null
  readonly last_id: string | null
  readonly has_more: boolean
}

const PAGE = { limitDefault: 20, limitMax: 100 }
/** Of a response's input, of which an account lists 100 at a time. */
const PAGES_MAX = 50
const BYTES_MAX = 64 * 1024 * 1024
const ITEM_ID = /^[A-Za-z0-9_-]{1,200}$/

type Ask = (page: URLSearchParams) => Promise<WholeAnswer>

/**
 * The page that a query asks for. `after` and `before` are ids by which the client knows items, and what clients send reaches no
 * account: with them the list is read from its beginning, by ids that the account itself gave, and cut here.
 */
export async function pageOfInput(
  query: URLSearchParams,
  ask: Ask,
): Promise<{ readonly kind: 'page'; readonly page: InputPage } | WholeAnswer | Problem> {
  const limit = readLimit(query, PAGE)
  if (limit instanceof Problem) return limit
  const order = query.get('order') ?? 'desc'
  if (order !== 'asc' && order !== 'desc') return invalid('order', 'must be "asc" or "desc"')
  const [after, before] = [query.get('after'), query.get('before')]
  if (after === null && before === null) return ask(new URLSearchParams({ limit: String(limit), order }))
  for (const [name, id] of Object.entries({ after, before }))
    if (id !== null && !ITEM_ID.test(id)) return invalid(name, 'must be the id of an item')

  const items = await readAll(ask, order)
  if (!Array.isArray(items)) return items
  const start = after === null ? 0 : items.findIndex(({ id }) => id === after) + 1
  if (after !== null && start === 0) return invalid('after', 'names no item of this response')
  const end = before === null ? items.length : items.findIndex(({ id }) => id === before)
  if (end < 0) return invalid('before', 'names no item of this response')
  const rest = items.slice(start, Math.max(start, end))
  const data = rest.slice(0, limit)
  const ids = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
  return { kind: 'page', page: { object: 'list', data, ...ids, has_more: rest.length > limit } }
}

interface InputItem {
  readonly id: string
}

async function readAll(ask: Ask, order: string): Promise<InputItem[] | WholeAnswer | Problem> {
  const items: InputItem[] = []
  let bytes = 0
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const last = items.at(-1)?.id
    const page = { limit: String(PAGE.limitMax), order, ...(last === undefined ? {} : { after: last }) }
    const answer = await ask(new URLSearchParams(page))
    if (answer.kind !== 'whole') return answer
    bytes += answer.body.length
    const read = readPage(answer.body)
    if (!read) return new Problem('upstream_failed', 'The account that holds the response sent no list of items.')
    const { data, hasMore } = read
    items.push(...data)
    if (!hasMore || data.length === 0) return items
    if (bytes > BYTES_MAX) break
  }
  return new Problem(
    'unsupported_parameter',
    'The input is too long to be read from its middle; read it without after and before.',
  )
}

function readPage(body: Buffer): { data: InputItem[]; hasMore: boolean } | undefined {
  try {
    const { data, has_more: hasMore } = JSON.parse(body.toString('utf8')) as { data?: unknown; has_more?: unknown }
    return Array.isArray(data) ? { data: data.filter(isItem), hasMore: hasMore === true } : undefined
  } catch {
    return undefined
  }
}

const isItem = (value: unknown): value is InputItem =>
  typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
