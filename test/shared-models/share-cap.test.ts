import fc from 'fast-check'
import { LineSample, rankOf } from '../../src/shared-models/line-sample'
import { capFor, shareMaxOf } from '../../src/shared-models/share-cap'

const sizes = fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 3, maxLength: 100 })
const sumUnder = (all: readonly number[], cap: number) => all.reduce((sum, size) => sum + Math.min(size, cap), 0)

describe('the bound on what one tenant gives', () => {
  it('leaves nobody a larger part of the whole than is allowed', () => {
    fc.assert(
      fc.property(sizes, (all) => {
        const shareMax = shareMaxOf(all.length)
        const cap = capFor(all, shareMax)
        const largest = Math.min(Math.max(...all), cap)
        // A byte is lost by rounding down, never gained.
        return largest <= shareMax * sumUnder(all, cap) + 1
      }),
    )
  })

  it('is as large as it may be: one byte in a hundred more would be too much for somebody', () => {
    fc.assert(
      fc.property(sizes, (all) => {
        const shareMax = shareMaxOf(all.length)
        const cap = capFor(all, shareMax)
        if (cap >= Math.max(...all)) return true
        const more = cap * 1.01 + 2
        return Math.min(Math.max(...all), more) > shareMax * sumUnder(all, more)
      }),
    )
  })

  it('takes from the largest only: three of three equal ones give all', () => {
    expect(capFor([500, 500, 500], shareMaxOf(3))).toBeGreaterThanOrEqual(500)
    expect(capFor([100, 100, 1_000_000], shareMaxOf(3))).toBe(200)
  })
})

describe('a sample of lines', () => {
  const line = (n: number) => `line ${n} ${'x'.repeat(n % 50)}`

  it('is the same for the same build in whatever order lines come, another for another, and within its bound', () => {
    const lines = Array.from({ length: 2_000 }, (_, n) => line(n))
    const sampleOf = (seed: string, all: readonly string[]) => {
      const sample = new LineSample(seed, 10_000)
      for (const each of all) sample.add(each)
      return sample.end()
    }
    const first = sampleOf('a', lines)
    const bytes = first.lines.reduce((sum, each) => sum + each.length + 1, 0)
    expect(bytes).toBeLessThanOrEqual(10_000)
    expect(bytes).toBeGreaterThan(9_900)
    expect(sampleOf('a', lines.toReversed()).lines).toEqual(first.lines)
    expect(sampleOf('b', lines).lines).not.toEqual(first.lines)
    expect(first.lines.length + first.dropped).toBe(2_000)
    expect(first.lines.map((each) => rankOf('a', each))).toEqual(
      first.lines.map((each) => rankOf('a', each)).toSorted((a, b) => a - b),
    )
  })

  it('counts equal lines once', () => {
    const sample = new LineSample('a', 1_000)
    expect([sample.add('x'), sample.add('x')]).toEqual([true, false])
    expect(sample.end().lines).toEqual(['x'])
  })
})
