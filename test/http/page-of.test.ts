import fc from 'fast-check'
import { pageOf } from '../../src/http/page-of'

const idOf = (id: string) => id
const ids = fc.uniqueArray(fc.string({ minLength: 1 })).map((list) => list.toSorted())

describe('a page of a list', () => {
  it('leads, page after page, to every item once and in order', () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 10 }), (all, limit) => {
        const seen: string[] = []
        let after: string | undefined
        do {
          const { shown, next } = pageOf(all, idOf, { after, limit })
          expect(shown.length).toBeLessThanOrEqual(limit)
          seen.push(...shown)
          after = next
        } while (after !== undefined)
        expect(seen).toEqual(all)
      }),
    )
  })

  it('goes on behind an item that was removed since', () => {
    expect(pageOf(['a', 'c', 'd'], idOf, { after: 'b', limit: 1 })).toEqual({ shown: ['c'], next: 'c' })
    expect(pageOf(['a', 'c', 'd'], idOf, { after: 'd', limit: 1 })).toEqual({ shown: [], next: undefined })
  })
})
