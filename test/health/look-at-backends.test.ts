import { lookAtBackends } from '../../src/health/look-at-backends'
import type { Backend } from '../../src/routing/backend'
import type { BackendStanding } from '../../src/routing/backend-state'

const backend = (name: string, more: Partial<Backend> = {}): Backend => ({
  id: `bke_${name}`,
  name,
  api: { kind: 'openai-compatible' },
  endpoint: 'https://models.example/v1',
  deployment: 'a-model',
  credential: { kind: 'identity' },
  region: 'swedencentral',
  capacity: 'payg',
  enabled: true,
  ...more,
})
const broken: BackendStanding = { kind: 'broken', waitMs: 1_000, sinceMs: 5, why: 'unreachable' }
const recovering: BackendStanding = { kind: 'recovering', sinceMs: 5, why: 'answered' }
const throttled: BackendStanding = { kind: 'throttled', waitMs: 1_000 }

function look(
  standings: Readonly<Record<string, BackendStanding>>,
  more: Readonly<Record<string, Partial<Backend>>> = {},
) {
  const backends = Object.keys(standings).map((name) => backend(name, more[name]))
  return lookAtBackends(backends, (id) => standings[id.slice('bke_'.length)] ?? { kind: 'ready' })
}

describe('the backends', () => {
  it('are impaired while one of them is broken, and fail when calls are kept away from all', () => {
    expect(look({ a: broken, b: { kind: 'ready' } }).found).toEqual({ state: 'impaired', why: '1 of 2 broken' })
    expect(look({ a: broken, b: broken }).found).toEqual({ state: 'failing', why: '2 of 2 broken' })
  })

  it('that are full are well', () => {
    expect(look({ a: throttled }).found).toEqual({ state: 'ok' })
  })

  it('may serve again once the pause of a broken one is over: only a call can tell', () => {
    expect(look({ a: recovering }).found).toEqual({ state: 'ok' })
    expect(look({ a: recovering, b: broken }).found).toMatchObject({ state: 'impaired' })
  })

  it('of one tenant, and those that are switched off, say nothing of the platform', () => {
    const standings = { a: broken, b: broken, c: { kind: 'ready' } } as const
    const own = { a: { ownerTenantId: 'ten_a' }, b: { enabled: false } } as const
    expect(look(standings, own)).toEqual({ found: { state: 'ok' }, enabled: 1, troubled: [] })
  })

  it('are well where there are none yet', () => {
    expect(look({}).found).toEqual({ state: 'ok' })
  })

  it('in trouble are told the worst first', () => {
    const { troubled } = look({ a: throttled, b: recovering, c: { kind: 'ready' }, d: broken })
    expect(troubled.map(({ name, standing }) => [name, standing.kind])).toEqual([
      ['d', 'broken'],
      ['b', 'recovering'],
      ['a', 'throttled'],
    ])
  })
})
