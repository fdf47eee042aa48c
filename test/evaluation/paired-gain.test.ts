import fc from 'fast-check'
import { pairedGain } from '../../src/evaluation/paired-gain'
import { seededChance } from './seeded-chance'

describe('the gain of one model over another', () => {
  it('lies within its interval, and its interval within what the examples say', () => {
    const difference = fc.double({ min: -1, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.array(difference, { minLength: 1, maxLength: 60 }), fc.nat(), (differences, seed) => {
        const { mean, low, high } = pairedGain(differences, seed)
        expect(low).toBeLessThanOrEqual(high)
        expect(low).toBeGreaterThanOrEqual(Math.min(...differences) - 1e-9)
        expect(high).toBeLessThanOrEqual(Math.max(...differences) + 1e-9)
        expect(mean).toBeCloseTo(differences.reduce((sum, each) => sum + each, 0) / differences.length)
      }),
      { numRuns: 30 },
    )
  })

  it('is the same for the same examples and seed, whoever repeats it', () => {
    const differences = [1, 0, 0, -1, 1, 1, 0, 1]
    expect(pairedGain(differences, 7)).toEqual(pairedGain(differences, 7))
  })

  it('of a model that is no better is within its interval in about 95 of 100 held-out sets', () => {
    const chance = seededChance(11)
    let within = 0
    const SETS = 150
    for (let set = 0; set < SETS; set++) {
      // Two models that each answer a third of the examples exactly, whatever the example.
      const differences = Array.from({ length: 60 }, () => Number(chance() < 1 / 3) - Number(chance() < 1 / 3))
      const { low, high } = pairedGain(differences, set)
      if (low <= 0 && high >= 0) within += 1
    }
    // Four deviations of a binomial around 0.94, which percentile intervals of so few examples come to, are 0.078.
    expect(within / SETS).toBeGreaterThan(0.86)
    expect(within).toBeLessThan(SETS)
  })

  it('that is real is told from nothing with 100 examples', () => {
    const chance = seededChance(12)
    const differences = Array.from({ length: 100 }, () => Number(chance() < 0.7) - Number(chance() < 0.3))
    expect(pairedGain(differences, 1).low).toBeGreaterThan(0)
  })
})
