import fc from 'fast-check'
import { Rush, type Use } from '../../src/neighbours/rush'

const rushOf = (uses: readonly Use[]) => {
  const rush = new Rush()
  for (const use of uses) rush.add(use)
  return rush
}

describe('a rush', () => {
  it('is how many times busier the middle one is, whatever a single tenant does', () => {
    const others = Array.from({ length: 5 }, () => ({ typical: 20_000, load: 40_000 }))
    const flood = { typical: 20_000, load: 2_000_000 }
    const rush = rushOf([...others, flood])
    expect(rush.without(flood)).toBeGreaterThan(1.8)
    expect(rush.without(flood)).toBeLessThan(2.1)
    expect(rushOf([...others.map(({ typical }) => ({ typical, load: typical })), flood]).without(flood)).toBe(1)
  })

  it('is none for a tenant that is alone, or among idle ones', () => {
    const alone = { typical: 1_000, load: 90_000 }
    expect(rushOf([alone]).without(alone)).toBe(1)
    expect(rushOf([alone, { typical: 5_000, load: 0 }]).without(alone)).toBe(1)
  })

  it('lies between the least and the most that any other tenant does, to a tenth', () => {
    const use = fc.record({ typical: fc.integer({ min: 0, max: 1e6 }), load: fc.integer({ min: 0, max: 1e7 }) })
    const times = ({ load, typical }: Use) => Math.min(Math.exp(3.3), Math.max(1, (load + 1_000) / (typical + 1_000)))
    fc.assert(
      fc.property(fc.array(use, { minLength: 2, maxLength: 30 }), ([one, ...others]) => {
        if (!one) return
        const middle = rushOf([one, ...others]).without(one)
        if (others.every(({ typical }) => typical === 0)) return
        expect(middle).toBeLessThanOrEqual(Math.max(...others.map(times)) * 1.001)
        expect(middle).toBeGreaterThanOrEqual(Math.min(...others.map(times)) / 1.11)
      }),
    )
  })
})
