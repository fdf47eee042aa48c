import fc from 'fast-check'
import { roundedQuotient, upTo } from '../../src/billing/rounding'

const amount = fc.integer({ min: 0, max: 9_000_000_000_000 })
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

describe('a quotient', () => {
  it.each([
    [5n, 2n, 3],
    [-5n, 2n, -2],
    [1n, 3n, 0],
    [2n, 3n, 1],
    [-2n, 3n, -1],
    [9_007_199_254_740_990n * 3n, 3n, 9_007_199_254_740_990],
  ])('%s / %s is rounded half up to %s', (numerator, denominator, expected) => {
    expect(roundedQuotient(numerator, denominator)).toBe(expected)
  })

  it('beyond the integers that are exact is refused rather than rounded', () => {
    expect(() => roundedQuotient(2n ** 53n, 1n)).toThrow('beyond what is counted exactly')
  })
})

describe('a sum that runs over time', () => {
  it('is the same whole, however the time is cut', () => {
    const cut = fc.record({
      total: amount,
      days: fc.integer({ min: 1, max: 744 }),
      at: fc.array(fc.nat(744), { maxLength: 10 }),
    })
    fc.assert(
      fc.property(cut, ({ total, days, at }) => {
        const ends = [0, ...at.filter((day) => day < days).sort((a, b) => a - b), days]
        const pieces = ends.slice(1).map((end, i) => upTo(total, end, days) - upTo(total, ends[i] ?? 0, days))
        expect(sum(pieces)).toBe(total)
        expect(Math.min(...pieces)).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
