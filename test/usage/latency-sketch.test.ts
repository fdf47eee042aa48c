import fc from 'fast-check'
import { LatencySketch, SKETCH_ERROR, SKETCHED_MS_MAX } from '../../src/usage/latency-sketch'

/** Whole milliseconds as the log has them, of every order of magnitude. */
const span = fc.oneof(
  fc.nat(20),
  fc.nat(5_000),
  fc.double({ min: 0, max: Math.log(SKETCHED_MS_MAX), noNaN: true }).map((power) => Math.floor(Math.exp(power))),
)
const spans = fc.array(span, { maxLength: 200 })
const shares = [0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1]

function sketchOf(values: readonly number[]): LatencySketch {
  const sketch = new LatencySketch()
  for (const ms of values) sketch.add(ms)
  return sketch
}

/** By nearest rank. */
const exactQuantile = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(share * values.length)) - 1]

describe('a latency sketch', () => {
  it('gives every quantile within its error of the exact one', () => {
    fc.assert(
      fc.property(spans, (values) => {
        const sketch = sketchOf(values)
        for (const share of shares) {
          const [found, exact] = [sketch.quantile(share), exactQuantile(values, share)]
          if (found === undefined || exact === undefined) expect([found, exact]).toEqual([undefined, undefined])
          else expect(Math.abs(found - exact)).toBeLessThanOrEqual(SKETCH_ERROR * exact * (1 + 1e-12))
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('is the same of the same values, however they are split, ordered, merged and stored between', () => {
    const dealt = fc.array(fc.record({ ms: span, pile: fc.nat(4), order: fc.double({ noNaN: true }) }), {
      maxLength: 200,
    })
    fc.assert(
      fc.property(dealt, fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (values, piles) => {
        const merged = new LatencySketch()
        for (const pile of piles) {
          const own = values.filter((value) => value.pile === pile).toSorted((a, b) => a.order - b.order)
          merged.merge(LatencySketch.decode(sketchOf(own.map(({ ms }) => ms)).encode()))
        }
        const whole = sketchOf(values.map(({ ms }) => ms))
        expect(merged).toEqual(whole)
        expect(merged.encode()).toEqual(whole.encode())
        expect(merged.count).toBe(values.length)
      }),
    )
  })

  it('tells which share lies above a bound, but for values within its error of the bound', () => {
    fc.assert(
      fc.property(spans, span, (values, bound) => {
        const certain = values.filter((ms) => ms * (1 - SKETCH_ERROR) > bound).length
        const possible = values.filter((ms) => ms * (1 + SKETCH_ERROR) > bound).length
        const above = sketchOf(values).shareAbove(bound) * values.length
        expect(above).toBeGreaterThanOrEqual(certain - 1e-9)
        expect(above).toBeLessThanOrEqual(possible + 1e-9)
      }),
    )
  })

  it('counts a value that is added several times as often', () => {
    const sketch = new LatencySketch()
    sketch.add(100, 99)
    sketch.add(5_000)
    sketch.add(7, 0)
    expect(sketch).toEqual(sketchOf([...Array.from({ length: 99 }, () => 100), 5_000]))
  })

  it('leaves what is merged into another as it was', () => {
    const [one, other] = [sketchOf([1, 2]), sketchOf([2, 3])]
    one.merge(other)
    one.add(3)
    expect(other).toEqual(sketchOf([2, 3]))
  })

  it.each([NaN, -1, 0, 0.4])('counts %p as no time at all', (ms) => {
    expect(sketchOf([ms]).quantile(1)).toBe(0)
  })

  it('has a bounded number of bins, whatever it is given', () => {
    const sketch = new LatencySketch()
    for (let power = -5; power < 400; power += 0.005) sketch.add(Math.exp(power))
    expect(sketch.encode().length / 2).toBeLessThanOrEqual(916)
    expect(sketch.quantile(1)).toBeCloseTo(SKETCHED_MS_MAX, -7)
  })
})
