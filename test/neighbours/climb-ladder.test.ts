import fc from 'fast-check'
import {
  allowedRung,
  climbLadder,
  quarantineEndMs,
  rankOf,
  type Ladder,
  type Step,
} from '../../src/neighbours/climb-ladder'
import type { Verdict } from '../../src/neighbours/find-noisy-neighbours'
import { defaultPolicy, rungs, type NoisyPolicy, type Rung } from '../../src/neighbours/noisy-policy'
import { evidenceFor } from './evidence'

const MINUTE_MS = 60_000
const noisy: Verdict = { kind: 'noisy', evidence: evidenceFor({}) }
const pressing = (harms: boolean): Verdict => ({ kind: 'pressing', harms, evidence: evidenceFor({}) })

interface Minute {
  readonly verdict: Verdict | undefined
  readonly allowed?: Rung
}

/** One look a minute; what came of each. */
function climb(minutes: readonly Minute[], policy: NoisyPolicy = defaultPolicy): Step[] {
  let ladder: Ladder | undefined
  return minutes.map(({ verdict, allowed = policy.rungMax }, minute) => {
    const step = climbLadder(ladder, { verdict, policy, allowed, nowMs: minute * MINUTE_MS })
    ladder = step.kind === 'over' ? undefined : step.ladder
    return step
  })
}

const times = (count: number, verdict: Verdict | undefined): Minute[] =>
  Array.from({ length: count }, () => ({ verdict }))

/** The rung after each minute, without repetitions. */
const way = (steps: readonly Step[]): (Rung | 'none')[] =>
  steps.map((step) => (step.kind === 'over' ? 'none' : step.ladder.rung)).filter((rung, i, all) => rung !== all[i - 1])

describe('a tenant in others’ way', () => {
  it('is held back more and more while others go on suffering, each time after the rung’s own time', () => {
    const steps = climb(times(30, noisy))
    expect(way(steps)).toEqual(['notify', 'lower-weight', 'throttle', 'quarantine'])
    const at = (rung: Rung) => steps.findIndex((step) => step.kind === 'to' && step.ladder.rung === rung)
    expect([at('notify'), at('lower-weight'), at('throttle'), at('quarantine')]).toEqual([0, 3, 8, 18])
  })

  it('stays where it is when others have recovered and it presses on, however long', () => {
    const steps = climb([...times(4, noisy), ...times(600, pressing(false))])
    expect(way(steps)).toEqual(['notify', 'lower-weight'])
  })

  it('is held back further when others suffer although it is refused', () => {
    const steps = climb([...times(9, noisy), ...times(12, pressing(true))])
    expect(way(steps)).toEqual(['notify', 'lower-weight', 'throttle', 'quarantine'])
  })

  it('comes down one rung after each calm, and is free in the end', () => {
    const steps = climb([...times(9, noisy), ...times(60, undefined)])
    expect(way(steps)).toEqual(['notify', 'lower-weight', 'throttle', 'lower-weight', 'notify', 'none'])
  })

  it('is not calm before it was calm without a break', () => {
    const restless = Array.from({ length: 100 }, (_, i) => ({ verdict: i % 9 === 8 ? pressing(false) : undefined }))
    expect(way(climb([...times(9, noisy), ...restless]))).toEqual(['notify', 'lower-weight', 'throttle'])
  })

  it('leaves a quarantine when its time is over, and stays longer in the next', () => {
    const policy = { ...defaultPolicy, throttleMinutes: 1 }
    const steps = climb(times(100, noisy), policy)
    const quarantines = steps.flatMap((step, minute) =>
      step.kind === 'to' && (step.ladder.rung === 'quarantine' || step.why === 'quarantine-over') ? [minute] : [],
    )
    const [first = 0, firstEnd = 0, second = 0, secondEnd = 0] = quarantines
    expect([firstEnd - first, secondEnd - second]).toEqual([15, 30])
  })

  it('is never more than notified about where the policy says so', () => {
    expect(way(climb(times(200, noisy), { ...defaultPolicy, rungMax: 'notify' }))).toEqual(['notify'])
  })

  it('is let go at once when an operator lifts its measures, and found again only when they may be taken', () => {
    const lifted = Array.from({ length: 30 }, () => ({ verdict: noisy, allowed: allowedRung(defaultPolicy, true) }))
    const steps = climb([...times(9, noisy), ...lifted, ...times(1, noisy)])
    expect(way(steps)).toEqual(['notify', 'lower-weight', 'throttle', 'notify', 'lower-weight'])
  })
})

describe('the ladder', () => {
  const verdicts = fc.constantFrom<Verdict | undefined>(undefined, noisy, pressing(true), pressing(false))
  const policies = fc.record({
    rungMax: fc.constantFrom(...rungs),
    notifyMinutes: fc.integer({ min: 1, max: 20 }),
    lowerWeightMinutes: fc.integer({ min: 1, max: 20 }),
    throttleMinutes: fc.integer({ min: 1, max: 20 }),
    quarantineMinutes: fc.integer({ min: 1, max: 20 }),
    calmMinutes: fc.integer({ min: 1, max: 20 }),
    weightShare: fc.constant(0.25),
    throttleShare: fc.constant(1),
  })

  it('moves one rung at a time, never above the policy, and begins with a culprit only', () => {
    fc.assert(
      fc.property(policies, fc.array(verdicts, { maxLength: 200 }), (policy, seen) => {
        const steps = climb(
          seen.map((verdict) => ({ verdict })),
          policy,
        )
        let before = -1
        for (const [i, step] of steps.entries()) {
          const now = step.kind === 'over' ? -1 : rankOf(step.ladder.rung)
          expect(Math.abs(now - before)).toBeLessThanOrEqual(1)
          expect(now).toBeLessThanOrEqual(rankOf(policy.rungMax))
          if (before === -1 && now === 0) expect(seen[i]).toBe(noisy)
          before = now
        }
      }),
    )
  })

  it('lets go of everybody who is calm for long enough, whatever came before', () => {
    fc.assert(
      fc.property(policies, fc.array(verdicts, { maxLength: 100 }), (policy, seen) => {
        const calm = times(24 * 60 + 4 * (policy.calmMinutes + 1), undefined)
        expect(climb([...seen.map((verdict) => ({ verdict })), ...calm], policy).at(-1)?.kind).toBe('over')
      }),
      { numRuns: 50 },
    )
  })

  it('answers the same when it is asked twice at one time', () => {
    fc.assert(
      fc.property(policies, fc.array(verdicts, { minLength: 1, maxLength: 50 }), (policy, seen) => {
        const last = climb(
          seen.map((verdict) => ({ verdict })),
          policy,
        ).at(-1)
        if (!last || last.kind === 'over') return
        const { ladder } = last
        const nowMs = (seen.length - 1) * MINUTE_MS
        const again = climbLadder(ladder, { verdict: seen.at(-1), policy, allowed: policy.rungMax, nowMs })
        expect(again.kind === 'over' ? undefined : again.ladder.rung).toBe(ladder.rung)
      }),
    )
  })

  it('never keeps a tenant in quarantine for more than a day', () => {
    const policy = { ...defaultPolicy, quarantineMinutes: 24 * 60 }
    const ladder: Ladder = { rung: 'quarantine', sinceMs: 0, quarantines: 40 }
    expect(quarantineEndMs(ladder, policy)).toBe(24 * 60 * MINUTE_MS)
  })
})
