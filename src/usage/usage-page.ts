import { mergeSketches, newSketches, type UsageSketches } from './usage-sketches'
import { intervalStart, type UsageQuery } from './usage-query'
import type { UsagePiece } from './usage-reader'
import { addSums, zeroSums, type GroupField, type UsageGroup, type UsageSums } from './usage-sums'

/** Everything of one interval and group. */
export interface UsageSum {
  readonly startMs: number | undefined
  readonly group: Partial<UsageGroup>
  readonly sums: UsageSums
  readonly sketches: UsageSketches
}

export interface UsagePage {
  /** Of the whole span, those of other pages included. */
  readonly total: Pick<UsageSum, 'sums' | 'sketches'>
  /** In the order of their keys: of time, then of the groups. */
  readonly rows: readonly UsageSum[]
  /** The key of the last row, where more follow. */
  readonly lastKey: string | undefined
}

type PageQuery = Pick<UsageQuery, 'interval' | 'groupBy' | 'limit' | 'afterKey'>

/** Adds usage up for one page; memory is bounded by twice the page, however many rows there are on others. */
export async function sumUpPage(query: PageQuery, usage: AsyncIterable<UsagePiece>): Promise<UsagePage> {
  const { page } = await sumUpPages({ page: query }, usage)
  return page
}

/** As `sumUpPage`, several pages from one reading. */
export async function sumUpPages<Name extends string>(
  queries: Readonly<Record<Name, PageQuery>>,
  usage: AsyncIterable<UsagePiece>,
): Promise<Record<Name, UsagePage>> {
  const total = { sums: zeroSums(), sketches: newSketches() }
  const names = Object.keys(queries) as Name[]
  const pages = names.map((name) => new Page(queries[name]))
  for await (const piece of usage) {
    for (const { sums, sketches } of piece.groups) {
      addSums(total.sums, sums)
      mergeSketches(total.sketches, sketches)
    }
    for (const page of pages) page.add(piece)
  }
  const summed = names.map((name, at) => [name, { total, ...pages[at]?.rows() }])
  return Object.fromEntries(summed) as Record<Name, UsagePage>
}

class Page {
  readonly #query: PageQuery
  readonly #rows = new Map<string, UsageSum>()
  /** Rows with higher keys are certain to stand on a later page, and are counted there. */
  #keyMax: string | undefined

  constructor(query: PageQuery) {
    this.#query = query
  }

  add({ startMs, groups }: UsagePiece): void {
    const { interval, groupBy, afterKey, limit } = this.#query
    const start = intervalStart(interval, startMs)
    for (const { group, sums, sketches } of groups) {
      const key = JSON.stringify([start ?? null, ...groupBy.map((field) => group[field])])
      if (key <= afterKey || (this.#keyMax !== undefined && key > this.#keyMax)) continue
      let row = this.#rows.get(key)
      if (!row) {
        row = { startMs: start, group: pick(group, groupBy), sums: zeroSums(), sketches: newSketches() }
        this.#rows.set(key, row)
      }
      addSums(row.sums, sums)
      mergeSketches(row.sketches, sketches)
      if (this.#rows.size > 2 * (limit + 1)) this.#keepFirst()
    }
  }

  rows(): Pick<UsagePage, 'rows' | 'lastKey'> {
    const { limit } = this.#query
    const sorted = [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1))
    const shown = sorted.slice(0, limit)
    const isMore = sorted.length > limit
    return { rows: shown.map(([, row]) => row), lastKey: isMore ? shown.at(-1)?.[0] : undefined }
  }

  /** The page and one more, which tells that there is another page. */
  #keepFirst(): void {
    const sorted = [...this.#rows.keys()].sort()
    this.#keyMax = sorted[this.#query.limit]
    for (const key of sorted.slice(this.#query.limit + 1)) this.#rows.delete(key)
  }
}

const pick = (group: UsageGroup, fields: readonly GroupField[]): Partial<UsageGroup> =>
  Object.fromEntries(fields.map((field) => [field, group[field]]))
