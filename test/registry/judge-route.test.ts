import fc from 'fast-check'
import { judgeRoute, type BackendFigures } from '../../src/registry/judge-route'
import { groupsAt } from '../../src/registry/route-share'

const target = 'bke_new'
const other = 'bke_old'
const of = (backendId: typeof target | typeof other, calls: number, more: Partial<BackendFigures> = {}) => ({
  backendId,
  calls,
  failed: 0,
  latencyMs: calls * 100,
  ...more,
})
const judge = (percent: number, bounds: Parameters<typeof judgeRoute>[0]['bounds'], figures: BackendFigures[]) =>
  judgeRoute({ target, percent, bounds, figures })

describe('a new backend', () => {
  it('gives its share back where it breaks off more than the bound beside the others', () => {
    expect(judge(50, { errorRate: 0.1 }, [of(target, 100, { failed: 15 }), of(other, 100)])).toContain('15.0 % failed')
    expect(
      judge(50, { errorRate: 0.1 }, [of(target, 100, { failed: 15 }), of(other, 100, { failed: 8 })]),
    ).toBeUndefined()
  })

  it('gives its share back where its calls are answered by the others in its place', () => {
    expect(judge(50, { errorRate: 0.1 }, [of(target, 0), of(other, 200)])).toContain('100.0 % failed')
    expect(judge(50, { errorRate: 0.1 }, [of(target, 95), of(other, 105)])).toBeUndefined()
  })

  it('gives its share back where it is slower than the others by more than the bound', () => {
    const slow = of(target, 50, { latencyMs: 50 * 700 })
    expect(judge(50, { latencyMs: 500 }, [slow, of(other, 50)])).toContain('700 ms and the others 100 ms')
    expect(judge(50, { latencyMs: 600 }, [slow, of(other, 50)])).toBeUndefined()
  })

  it('is not judged by a few calls', () => {
    expect(judge(50, { errorRate: 0 }, [of(target, 19, { failed: 19 }), of(other, 19)])).toBeUndefined()
  })

  it('with all calls is held to the bound by itself', () => {
    expect(judge(100, { errorRate: 0.1 }, [of(target, 100, { failed: 11 })])).toContain('11.0 %')
    expect(judge(100, { errorRate: 0.1 }, [of(target, 100, { failed: 9 })])).toBeUndefined()
  })

  it('that serves its share without a failure never gives it back for errors, whatever chance draws within two deviations', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        fc.nat(100_000),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (percent, total, z) => {
          const share = percent / 100
          const drawn = Math.round(total * share + z * 1.9 * Math.sqrt(total * share * (1 - share)))
          const calls = Math.min(total, Math.max(0, drawn))
          expect(judge(percent, { errorRate: 0.05 }, [of(target, calls), of(other, total - calls)])).toBeUndefined()
        },
      ),
    )
  })
})

describe('a share', () => {
  const weight = fc.double({ min: 0.01, max: 100, noNaN: true })

  it('is the asked part of the weights, and leaves the others in proportion', () => {
    fc.assert(
      fc.property(
        fc.array(weight, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 99 }),
        (weights, percent) => {
          const members = weights.map((each, index) => ({ backendId: `bke_${index}` as const, weight: each }))
          const later = { members: [{ backendId: 'bke_later' as const, weight: 3 }] }
          const [first, ...rest] = groupsAt([{ members }, later], target, percent) ?? []
          expect(rest).toEqual([later])
          const sum = first?.members.reduce((total, each) => total + each.weight, 0) ?? 0
          expect(first?.members.at(-1)).toEqual({ backendId: target, weight: percent })
          expect(sum).toBeCloseTo(100, 6)
          const [a, b] = first?.members ?? []
          if (members.length > 1 && a && b)
            expect(a.weight / b.weight).toBeCloseTo((weights[0] ?? 0) / (weights[1] ?? 1), 6)
        },
      ),
    )
  })

  it('of all is all: no other backend answers for it', () => {
    expect(groupsAt([{ members: [{ backendId: other, weight: 1 }] }], target, 100)).toEqual([
      { members: [{ backendId: target, weight: 1 }] },
    ])
  })

  it('is none where nobody is there to share with', () => {
    expect(groupsAt([{ members: [{ backendId: target, weight: 1 }] }], target, 10)).toBeUndefined()
    expect(groupsAt([], target, 10)).toBeUndefined()
  })
})
