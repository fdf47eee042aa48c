import fc from 'fast-check'
import { afterLook, noLooks, type Hysteresis, type Looks, type Verdict } from '../../src/alerts/hysteresis'

const rule: Hysteresis = { raiseAfter: 3, looks: 5, resolveAfter: 4 }

/** `x` is a bad look, `.` a good one. */
function verdicts(text: string, of: Hysteresis = rule): readonly Verdict[] {
  let looks: Looks = noLooks
  return Array.from(text, (look) => {
    const after = afterLook(of, looks, look === 'x')
    looks = after.looks
    return after.verdict
  })
}

test('is raised by so many bad looks of the last few, and by no fewer', () => {
  expect(verdicts('x.x.x')).toEqual(['quiet', 'quiet', 'quiet', 'quiet', 'raise'])
  expect(verdicts('x..x..x..x..x')).not.toContain('raise')
})

test('once raised, is kept by any bad look, and resolved by so many good ones in a row', () => {
  expect(verdicts('xxx...x....').slice(2)).toEqual([
    'raise',
    'keep',
    'keep',
    'keep',
    'keep',
    'keep',
    'keep',
    'keep',
    'resolve',
  ])
})

test('what came before it was resolved does not raise it again', () => {
  expect(verdicts('xxx....x').at(-1)).toBe('quiet')
  expect(verdicts('xxx....xx').at(-1)).toBe('quiet')
  expect(verdicts('xxx....xxx').at(-1)).toBe('raise')
})

test('raise and resolve take turns, whatever is seen, and what is remembered is bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (bad) => {
      let looks: Looks = noLooks
      let isRaised = false
      for (const each of bad) {
        const after = afterLook(rule, looks, each)
        looks = after.looks
        if (after.verdict === 'raise') expect(isRaised).toBe(false)
        if (after.verdict === 'resolve') expect(isRaised).toBe(true)
        isRaised = after.verdict === 'raise' || after.verdict === 'keep'
        expect(looks.isRaised).toBe(isRaised)
        expect(looks.recent.length).toBeLessThanOrEqual(Math.max(rule.looks, rule.resolveAfter))
      }
    }),
  )
})
