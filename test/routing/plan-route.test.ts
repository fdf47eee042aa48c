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
const ready: HealthView = { kind: 'ready', saturated: false }

function plan(
  groups: Backend[][],
  more: { residency?: string[]; health?: Record<string, HealthView>; fraction?: () => number } = {},
) {
  const all = new Map(groups.flat().map((item) => [item.id, item]))
  return planRoute({
    tenantId: 'ten_a',
    groups: groups.map((members) => ({ members: members.map(({ id }) => ({ backendId: id, weight: 1 })) })),
    residency: more.residency ?? [],
    backendOf: (id: BackendId) => all.get(id),
    healthOf: (id: BackendId) => more.health?.[id.slice('bke_'.length)] ?? ready,
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
    expect(names(plan([group], { health: { ptu: { kind: 'ready', saturated: true } } }))).toEqual(['payg', 'ptu'])
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
        fraction,
      })
      if (result.kind === 'candidates' && result.candidates[0] === heavy) first += 1
    }
    expect(first / rounds).toBeCloseTo(0.75, 1)
  })

  it('names every usable backend exactly once, for any health', () => {
    const health = fc.constantFrom<HealthView>(
      ready,
      { kind: 'ready', saturated: true },
      { kind: 'resting', waitMs: 9 },
    )
    fc.assert(
      fc.property(fc.array(fc.array(health, { maxLength: 4 }), { maxLength: 4 }), (layout) => {
        const views: Record<string, HealthView> = {}
        const groups = layout.map((group, i) =>
          group.map((view, j) => {
            views[`${i}-${j}`] = view
            return backend(`${i}-${j}`, { capacity: j % 2 ? 'ptu' : 'payg' })
          }),
        )
        const usable = Object.keys(views).filter((name) => views[name]?.kind === 'ready')
        const result = plan(groups, { health: views, fraction: () => 0.3 })
        expect(result.kind === 'candidates' ? result.candidates.map(({ name }) => name).sort() : []).toEqual(
          usable.sort(),
        )
      }),
    )
  })
})
