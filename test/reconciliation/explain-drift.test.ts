import fc from 'fast-check'
import { countedFields, isNothing, mapCounted, type CountedUse } from '../../src/reconciliation/counted-use'
import {
  describeParts,
  explainDrift,
  noUse,
  unexplained,
  type DriftClass,
  type OurUse,
} from '../../src/reconciliation/explain-drift'

const counted = (requests: number, promptTokens: number, outputTokens: number): CountedUse => ({
  requests,
  promptTokens,
  outputTokens,
})
const ours = (use: CountedUse, more: Partial<OurUse> = {}): OurUse => ({ ...noUse, counted: use, ...more })
const whole = (max: number) => fc.integer({ min: 0, max })
const anyCounted = fc.record({ requests: whole(1_000), promptTokens: whole(100_000), outputTokens: whole(100_000) })
const anyUse = fc.record({
  counted: anyCounted,
  batched: anyCounted,
  estimatedCalls: whole(10),
  rejectedCalls: whole(10),
  cachedTokens: whole(10_000),
  unsettledCalls: whole(10),
  hedgedTokens: whole(10_000),
})

it('parts add up to the drift, each with the drift’s own sign, whatever both sides count', () => {
  fc.assert(
    fc.property(anyCounted, anyUse, (theirs, use) => {
      const { drift, parts } = explainDrift(theirs, use)
      for (const field of countedFields) {
        expect(drift[field]).toBe(theirs[field] - use.counted[field])
        expect(parts.reduce((sum, { part }) => sum + part[field], 0)).toBe(drift[field])
        for (const { part } of parts) expect(part[field] * drift[field]).toBeGreaterThanOrEqual(0)
      }
    }),
  )
})

it('no part is empty, no class comes twice, and agreement has no parts', () => {
  fc.assert(
    fc.property(anyCounted, anyUse, (theirs, use) => {
      const { parts } = explainDrift(theirs, use)
      expect(parts.some(({ part }) => isNothing(part))).toBe(false)
      expect(new Set(parts.map(({ class: name }) => name)).size).toBe(parts.length)
      expect(explainDrift(use.counted, use).parts).toEqual([])
    }),
  )
})

it('a known cause never makes more of the drift unknown', () => {
  fc.assert(
    fc.property(anyCounted, anyUse, whole(50), (theirs, use, more) => {
      const before = unexplained(explainDrift(theirs, use))
      const after = unexplained(explainDrift(theirs, { ...use, unsettledCalls: use.unsettledCalls + more }))
      for (const field of countedFields) expect(Math.abs(after[field])).toBeLessThanOrEqual(Math.abs(before[field]))
    }),
  )
})

const base = counted(100, 10_000, 5_000)
const plus = (requests: number, promptTokens: number, outputTokens: number) =>
  mapCounted((field) => base[field] + counted(requests, promptTokens, outputTokens)[field])

it.each<[string, DriftClass, CountedUse, OurUse]>([
  ['a call whose process died', 'unsettled', plus(1, 90, 40), ours(base, { unsettledCalls: 1 })],
  ['a prompt that was sent to a second backend', 'hedged', plus(1, 100, 0), ours(base, { hedgedTokens: 110 })],
  ['a prompt that was charged and refused', 'rejected', plus(0, 80, 0), ours(base, { rejectedCalls: 1 })],
  ['a cut stream of which more was generated', 'estimated', plus(0, 0, 40), ours(base, { estimatedCalls: 1 })],
  ['a cut stream of which less was generated', 'estimated', plus(0, 0, -40), ours(base, { estimatedCalls: 1 })],
  ['a figure without what came from the cache', 'cached', plus(0, -2_000, 0), ours(base, { cachedTokens: 2_000 })],
  [
    'a line of a batch that ran in another hour',
    'batch',
    plus(-1, -100, -50),
    ours(base, { batched: counted(1, 100, 50) }),
  ],
  ['a call past the platform', 'unknown-here', plus(1, 100, 50), ours(base)],
  ['a call that counts twice here', 'unknown-there', plus(-1, -100, -50), ours(base)],
])('%s is put down to "%s"', (_, name, theirs, use) => {
  expect(explainDrift(theirs, use).parts.map((part) => part.class)).toEqual([name])
})

it('what a cause cannot account for stays unknown', () => {
  const { parts } = explainDrift(plus(5, 500, 250), ours(base, { unsettledCalls: 2 }))
  expect(parts).toEqual([
    { class: 'unsettled', part: counted(2, 200, 100) },
    { class: 'unknown-here', part: counted(3, 300, 150) },
  ])
  expect(describeParts(parts)).toBe(
    'unsettled: 2 requests, 200 prompt tokens, 100 output tokens; unknown-here: 3 requests, 300 prompt tokens, 150 output tokens',
  )
})
