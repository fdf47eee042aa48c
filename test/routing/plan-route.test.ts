import fc from 'fast-check'
import type { BackendId } from '../../src/base/ids'
import type { Backend } from '../../src/routing/backend'
import type { HealthView } from '../../src/routing/health'
import { planRoute } from '../../src/routing/plan-route'

const backend = (name: string, more: Partial<Backend> = {}): Backend => ({
  id: `bke_${name}`,
  name,
  api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
  endpoint: 'http://localhost',
  deployment: name,
  credential: { kind: 'none' },
  region: 'swedencentral',
  capacity: 'payg',
  enabled: true,
  ...more,
})
const ready: HealthView = { kind: 'ready' }

function plan(
  groups: Backend[][],
  more: {
    residency?: string[]
    health?: Record<string, HealthView>
    saturated?: string[]
    fraction?: () => number
  } = {},
) {
  const all = new Map(groups.flat().map((item) => [item.id, item]))
  return planRoute({
    tenantId: 'ten_a',
    groups: groups.map((members) => ({ members: members.map(({ id }) => ({ backendId: id, weight: 1 })) })),
    residency: more.residency ?? [],
    backendOf: (id: BackendId) => all.get(id),
    healthOf: (id: BackendId) => more.health?.[id.slice('bke_'.length)] ?? ready,
    isSaturated: ({ name }) => more.saturated?.includes(name) ?? false,
    fraction: more.fraction ?? (() => 0.5),
  })
}
const names = (result: ReturnType<typeof plan>) =>
  result.kind === 'candidates' ? result.candidates.map(({ name }) => name) : result

describe('a route', () => {
  it('keeps the order of its groups', () => {
    expect(names(plan([[backend('a')], [backend('b')], [backend('c')]]))).toEqual(['a', 'b', 'c'])
  })

  it('puts provisioned throughput first and steps over to pay-as-you-go while it is saturated', () => {
    const group = [backend('payg'), backend('ptu', { capacity: 'ptu' })]
    expect(names(plan([group]))).toEqual(['ptu', 'payg'])
    expect(names(plan([group], { saturated: ['ptu'] }))).toEqual(['payg', 'ptu'])
  })

  it('passes over a backend of another tenant, even if an alias names it', () => {
    const group = [
      backend('others', { ownerTenantId: 'ten_b' }),
      backend('own', { ownerTenantId: 'ten_a' }),
      backend('shared'),
    ]
    const planned = names(plan([group]))
    expect(Array.isArray(planned) && planned.toSorted()).toEqual(['own', 'shared'])
    expect(plan([[backend('others', { ownerTenantId: 'ten_b' })]])).toEqual({ kind: 'none' })
  })

  it('leaves out what rests, is switched off, or lies outside the residency', () => {
    const group = [
      backend('rests'),
      backend('off', { enabled: false }),
      backend('us', { region: 'eastus' }),
      backend('ok'),
    ]
    const health = { rests: { kind: 'resting', waitMs: 500 } as const }
    expect(names(plan([group], { residency: ['swedencentral'], health }))).toEqual(['ok'])
  })

  it('tells the shortest wait when everything rests, and that there is nothing when there is nothing', () => {
    const health = { a: { kind: 'resting', waitMs: 900 }, b: { kind: 'resting', waitMs: 300 } } as const
    expect(plan([[backend('a')], [backend('b')]], { health })).toEqual({ kind: 'all-resting', waitMs: 300 })
    expect(plan([[backend('us', { region: 'eastus' })]], { residency: ['swedencentral'] })).toEqual({ kind: 'none' })
  })

  it('draws within a group in proportion to weight', () => {
    const [heavy, light] = [backend('heavy'), backend('light')]
    const rounds = 20_000
    let seed = 7
    const fraction = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    let first = 0
    for (let i = 0; i < rounds; i++) {
      const result = planRoute({
        tenantId: 'ten_a',
        groups: [
          {
            members: [
              { backendId: heavy.id, weight: 3 },
              { backendId: light.id, weight: 1 },
            ],
          },
        ],
        residency: [],
        backendOf: (id) => (id === heavy.id ? heavy : light),
        healthOf: () => ready,
        isSaturated: () => false,
        fraction,
      })
      if (result.kind === 'candidates' && result.candidates[0] === heavy) first += 1
    }
    expect(first / rounds).toBeCloseTo(0.75, 1)
  })

  it('tells when the first of those it passes over is back', () => {
    const health = { a: { kind: 'resting', waitMs: 900 }, b: { kind: 'resting', waitMs: 300 } } as const
    expect(plan([[backend('a'), backend('b'), backend('c')]], { health })).toMatchObject({ restMs: 300 })
    expect(plan([[backend('c')]])).toMatchObject({ restMs: undefined })
  })

  it('tries a backend that two groups name once, in the first', () => {
    const [a, b] = [backend('a'), backend('b')]
    expect(names(plan([[a], [b, a], [a]]))).toEqual(['a', 'b'])
  })

  describe('for any backends, health, load, weights and chance', () => {
    const member = fc.record({
      capacity: fc.constantFrom('ptu' as const, 'payg' as const),
      region: fc.constantFrom('swedencentral', 'eastus2', 'westeurope'),
      enabled: fc.boolean(),
      owner: fc.constantFrom(undefined, 'ten_a' as const, 'ten_b' as const),
      weight: fc.double({ min: 0.001, max: 1_000, noNaN: true }),
      waitMs: fc.option(fc.integer({ min: 1, max: 60_000 })),
      saturated: fc.boolean(),
    })
    const scene = fc.record({
      groups: fc.array(fc.array(member, { maxLength: 6 }), { maxLength: 4 }),
      residency: fc.subarray(['swedencentral', 'eastus2', 'westeurope']),
      chances: fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 1 }),
    })
    const played = ({ groups, residency, chances }: typeof scene extends fc.Arbitrary<infer T> ? T : never) => {
      const facts = new Map(
        groups.flatMap((members, g) =>
          members.map((item, m) => {
            const { capacity, region, enabled, owner } = item
            const made = backend(`${g}-${m}`, { capacity, region, enabled, ownerTenantId: owner })
            return [made.id, { ...item, group: g, backend: made }] as const
          }),
        ),
      )
      let drawn = 0
      const result = planRoute({
        tenantId: 'ten_a',
        groups: groups.map((members, g) => ({
          members: members.map(({ weight }, m) => ({ backendId: `bke_${g}-${m}` as const, weight })),
        })),
        residency,
        backendOf: (id) => facts.get(id)?.backend,
        healthOf: (id) => {
          const waitMs = facts.get(id)?.waitMs ?? null
          return waitMs === null ? ready : { kind: 'resting', waitMs }
        },
        isSaturated: ({ id }) => facts.get(id)?.saturated ?? false,
        fraction: () => chances[drawn++ % chances.length] ?? 0,
      })
      const mayServe = [...facts.values()].filter(
        ({ enabled, owner, region }) =>
          enabled && owner !== 'ten_b' && (residency.length === 0 || residency.includes(region)),
      )
      return { result, facts, mayServe }
    }

    it('it names every backend that may serve and does not rest, each once, and no other', () => {
      fc.assert(
        fc.property(scene, (given) => {
          const { result, mayServe } = played(given)
          const expected = mayServe.filter(({ waitMs }) => waitMs === null).map(({ backend }) => backend.id)
          expect(result.kind === 'candidates' ? result.candidates.map(({ id }) => id).sort() : []).toEqual(
            expected.sort(),
          )
        }),
      )
    })

    it('it never leaves the residency and never leads to a backend of another tenant', () => {
      fc.assert(
        fc.property(scene, (given) => {
          const { result } = played(given)
          for (const { region, ownerTenantId } of result.kind === 'candidates' ? result.candidates : []) {
            expect(given.residency.length === 0 || given.residency.includes(region)).toBe(true)
            expect([undefined, 'ten_a']).toContain(ownerTenantId)
          }
        }),
      )
    })

    it('it orders by group, then by rank: provisioned, pay-as-you-go, provisioned that is full', () => {
      fc.assert(
        fc.property(scene, (given) => {
          const { result, facts } = played(given)
          const keys = (result.kind === 'candidates' ? result.candidates : []).map(({ id }) => {
            const { group, capacity, saturated } = facts.get(id) ?? { group: 0, capacity: 'payg', saturated: false }
            return group * 3 + (capacity === 'payg' ? 1 : saturated ? 2 : 0)
          })
          expect(keys).toEqual(keys.toSorted((a, b) => a - b))
        }),
      )
    })

    it('the wait it tells is the shortest of those that rest and may serve', () => {
      fc.assert(
        fc.property(scene, (given) => {
          const { result, mayServe } = played(given)
          const waits = mayServe.flatMap(({ waitMs }) => (waitMs === null ? [] : [waitMs]))
          const shortest = waits.length > 0 ? Math.min(...waits) : undefined
          if (result.kind === 'candidates') expect(result.restMs).toBe(shortest)
          else if (result.kind === 'all-resting') expect(result.waitMs).toBe(shortest)
          else expect(mayServe).toEqual([])
        }),
      )
    })
  })
})
