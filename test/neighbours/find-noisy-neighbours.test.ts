import type { BackendId, TenantId } from '../../src/base/ids'
import { BackendWatch } from '../../src/neighbours/backend-watch'
import { expectedAt } from '../../src/neighbours/expected'
import { findNoisyNeighbours, type Found } from '../../src/neighbours/find-noisy-neighbours'
import { emptyFigures, type MinuteFigures } from '../../src/neighbours/minute-figures'
import { learnHour, newPoolNormal, type PoolNormal } from '../../src/neighbours/pool-normal'
import { standingOf } from '../../src/neighbours/standing'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const WEEK_MS = 168 * HOUR_MS
const END_MS = WEEK_MS + 10 * HOUR_MS + 30 * MINUTE_MS

interface Does {
  readonly tokens: number
  readonly latencyMs?: number
  readonly refused?: number
  readonly failed?: number
}

interface Neighbour {
  readonly id: TenantId
  readonly backendIds?: readonly BackendId[]
  readonly weight?: number
  readonly tokensPerMinute?: number
  /** In each minute of the week before. */
  readonly usually?: (minuteStartMs: number) => Does
  /** In each of the last minutes, the oldest first. */
  readonly now: readonly [Does, Does, Does]
  readonly isHeld?: boolean
}

const CALLS_A_MINUTE = 20
const shared: BackendId = 'bke_shared'

function figures(
  startMs: number,
  backendId: BackendId,
  { tokens, latencyMs = 1_000, refused = 0, failed = 0 }: Does,
): MinuteFigures {
  const minute = emptyFigures({ startMs, backendId })
  minute.tokens = tokens
  minute.calls = tokens > 0 ? CALLS_A_MINUTE : 0
  minute.refused = refused
  minute.failed = failed
  // One in ten takes half as long again: a p95 has to have something above it.
  if (tokens > 0) {
    minute.latency.add(latencyMs, CALLS_A_MINUTE - 2)
    minute.latency.add(latencyMs * 1.5, 2)
  }
  return minute
}

const learned = new Map<(minuteStartMs: number) => Does, PoolNormal>()

function normalOf(usually: (minuteStartMs: number) => Does, backendId: BackendId): PoolNormal {
  const known = learned.get(usually)
  if (known) return known
  const normal = newPoolNormal(0)
  for (let hourStartMs = 0; hourStartMs < WEEK_MS + 10 * HOUR_MS; hourStartMs += HOUR_MS) {
    const minutes = Array.from({ length: 60 }, (_, i) => {
      const startMs = hourStartMs + i * MINUTE_MS
      return figures(startMs, backendId, usually(startMs))
    })
    learnHour(normal, { hourStartMs, minutes, wasNoisy: false })
  }
  learned.set(usually, normal)
  return normal
}

const steady = () => ({ tokens: 5_000 })

function find(neighbours: readonly Neighbour[]): readonly Found[] {
  const watch = new BackendWatch()
  for (const neighbour of neighbours) {
    const {
      id,
      backendIds = [shared],
      weight = 1,
      tokensPerMinute = 1_000_000,
      usually = steady,
      now,
      isHeld = false,
    } = neighbour
    const [first = shared] = backendIds
    const minutes = backendIds.flatMap((backendId) =>
      now.map((does, i) =>
        figures(END_MS - (3 - i) * MINUTE_MS, backendId, { ...does, tokens: does.tokens / backendIds.length }),
      ),
    )
    const pool = { id: first, backendIds, aliases: ['chat'] }
    const expected = expectedAt(normalOf(usually, first), END_MS - MINUTE_MS)
    watch.add(standingOf({ tenantId: id, pool, weight, tokensPerMinute, minutes, expected }, END_MS), isHeld)
  }
  const held = new Set(neighbours.filter(({ isHeld }) => isHeld).map(({ id }) => id))
  return findNoisyNeighbours(watch.views(), ({ tenantId }) => held.has(tenantId))
}

const still = (does: Does): Neighbour['now'] => [does, does, does]
const others = (now: Does, more: Partial<Neighbour> = {}): Neighbour[] =>
  (['ten_a', 'ten_b', 'ten_c', 'ten_d'] as const).map((id) => ({ id, now: still(now), ...more }))

const slow: Does = { tokens: 5_000, latencyMs: 4_000 }
const fine: Does = { tokens: 5_000 }
const flood: Neighbour = { id: 'ten_flood', now: still({ tokens: 80_000, latencyMs: 4_000 }) }

describe('a noisy neighbour', () => {
  it('is who surges beyond its share while others suffer, with the figures that show it', () => {
    const [found, ...more] = find([flood, ...others(slow)])
    expect(more).toEqual([])
    expect(found).toMatchObject({ tenantId: 'ten_flood', poolId: shared, verdict: { kind: 'noisy' } })
    const { evidence } = found?.verdict ?? {}
    expect(evidence).toMatchObject({ load: 80_000, entitled: 20_000, entitledShare: 0.2, share: 0.8 })
    expect(evidence?.usual).toBeGreaterThan(4_500)
    expect(evidence?.usual).toBeLessThan(5_500)
    expect(evidence?.impairedShare).toBe(1)
    expect(evidence?.victims.map(({ tenantId }) => tenantId).sort()).toEqual(['ten_a', 'ten_b', 'ten_c', 'ten_d'])
    expect(evidence?.victims[0]?.p95Ms).toBeGreaterThan(3 * (evidence?.victims[0]?.usualP95Ms ?? Infinity))
  })

  it('is found in the second minute of a flood, and not in its first', () => {
    const burst = { tokens: 80_000, latencyMs: 4_000 }
    expect(find([{ ...flood, now: [fine, fine, burst] }, ...others(slow)])).toEqual([])
    expect(find([{ ...flood, now: [fine, burst, burst] }, ...others(slow)])).toHaveLength(1)
  })

  it('is, when little beyond its most, only who is near it in all three minutes', () => {
    const { most = 0 } = find([flood, ...others(slow)])[0]?.verdict.evidence ?? {}
    const [little, far] = [1.4 * most, 1.6 * most].map((tokens) => ({ tokens, latencyMs: 4_000 })) as [Does, Does]
    expect(find([{ ...flood, now: [little, fine, little] }, ...others(slow)])).toEqual([])
    expect(find([{ ...flood, now: still(little) }, ...others(slow)])).toHaveLength(1)
    expect(find([{ ...flood, now: [far, fine, far] }, ...others(slow)])).toHaveLength(1)
  })

  it('is who makes others lose calls, where those that are left are not slower', () => {
    const losing = others({ tokens: 5_000, refused: 10 })
    expect(find([flood, ...losing])[0]).toMatchObject({ tenantId: 'ten_flood', verdict: { kind: 'noisy' } })
  })

  it('is judged by its own normal: what one tenant always uses is a flood of another', () => {
    const large: Neighbour = { id: 'ten_large', usually: () => ({ tokens: 80_000 }), now: still({ tokens: 80_000 }) }
    const small: Neighbour = { id: 'ten_small', now: still({ tokens: 60_000 }) }
    expect(find([large, small, ...others(slow)]).map(({ tenantId }) => tenantId)).toEqual(['ten_small'])
  })

  it('is found in the minutes that its hourly job leaves free, and not in those of the job', () => {
    const jobAt = (minute: number) => (minuteStartMs: number) => {
      const since = (minuteStartMs / MINUTE_MS - minute) % 60
      return { tokens: since >= 0 && since < 8 ? 80_000 : 5_000 }
    }
    expect(find([{ ...flood, usually: jobAt(0) }, ...others(slow)])).toHaveLength(1)
    expect(find([{ ...flood, usually: jobAt(24) }, ...others(slow)])).toEqual([])
  })

  it('is found in the minutes that its daily job leaves free, and not in those of the job', () => {
    const jobAt = (minuteOfDay: number) => (minuteStartMs: number) => {
      const since = (minuteStartMs / MINUTE_MS - minuteOfDay) % 1_440
      return { tokens: since >= 0 && since < 25 ? 80_000 : 5_000 }
    }
    expect(find([{ ...flood, usually: jobAt(9 * 60 + 45) }, ...others(slow)])).toHaveLength(1)
    expect(find([{ ...flood, usually: jobAt(10 * 60 + 15) }, ...others(slow)])).toEqual([])
  })

  it('is found though others suffer from something else at one of the other backends', () => {
    const elsewhere = (['bke_x', 'bke_y', 'bke_z'] as const).flatMap((backendId, i) =>
      others(i === 0 ? slow : fine).map((other, j): Neighbour => ({
        ...other,
        id: `ten_elsewhere${i}${j}`,
        backendIds: [backendId],
      })),
    )
    expect(find([flood, ...others(slow), ...elsewhere]).map(({ tenantId }) => tenantId)).toEqual(['ten_flood'])
  })

  it('may have no history: then its share alone says so', () => {
    const known = find([{ ...flood, usually: () => ({ tokens: 0 }) }, ...others(slow)])
    expect(known.map(({ tenantId }) => tenantId)).toEqual(['ten_flood'])
  })

  it('is one finding of all the backends that its aliases lead to', () => {
    const backendIds = ['bke_one', 'bke_two'] as const
    const found = find([{ ...flood, backendIds }, ...others(slow, { backendIds })])
    expect(found).toHaveLength(1)
    expect(found[0]?.verdict.evidence).toMatchObject({ poolId: 'bke_one', backendIds, load: 80_000 })
  })
})

describe('nobody is named', () => {
  it('while nobody suffers, however much a tenant uses', () => {
    expect(find([flood, ...others(fine)])).toEqual([])
  })

  it('when everybody is slow and nobody surges', () => {
    expect(find([{ ...flood, now: still(slow) }, ...others(slow)])).toEqual([])
  })

  it('when as many suffer on backends that the tenant does not use', () => {
    const elsewhere = others(slow).map((other, i): Neighbour => ({
      ...other,
      id: `ten_elsewhere${i}`,
      backendIds: ['bke_elsewhere'],
    }))
    expect(find([flood, ...others(slow), ...elsewhere])).toEqual([])
  })

  it('for a job that runs at this hour each week, or each day', () => {
    const atTen = (every: number) => (minuteStartMs: number) => ({
      tokens: Math.floor(minuteStartMs / HOUR_MS) % every === 10 ? 80_000 : 5_000,
    })
    expect(find([{ ...flood, usually: atTen(168) }, ...others(slow)])).toEqual([])
    expect(find([{ ...flood, usually: atTen(24) }, ...others(slow)])).toEqual([])
  })

  it('when all ask for more at once and nobody for much more than the others', () => {
    const rush = others({ tokens: 20_000, latencyMs: 4_000 })
    const calm = others(slow).map((other, i): Neighbour => ({ ...other, id: `ten_calm${i}` }))
    expect(find([...rush, ...calm])).toEqual([])
  })

  it('who asks for as many times more than usual as the others do, though it is the largest', () => {
    const usually = () => ({ tokens: 30_000 })
    const large: Neighbour = { id: 'ten_large', usually, now: still({ tokens: 100_000, latencyMs: 4_000 }) }
    const rush = others({ tokens: 16_000, latencyMs: 4_000 })
    const calm: Neighbour = { id: 'ten_calm', now: still(slow) }
    expect(find([large, ...rush, calm])).toEqual([])
    expect(find([large, ...others(slow), calm]).map(({ tenantId }) => tenantId)).toEqual(['ten_large'])
  })

  it('who is within its share, by its weight', () => {
    expect(find([{ ...flood, weight: 40 }, ...others(slow)])).toEqual([])
  })

  it('but a tenant beyond its own limit of tokens is not within its share, whatever its weight', () => {
    expect(find([{ ...flood, weight: 40, tokensPerMinute: 20_000 }, ...others(slow)])).toHaveLength(1)
  })

  it('who suffers itself: calls that are slow for a tenant that surges are its own', () => {
    const both = others({ tokens: 80_000, latencyMs: 4_000 }).slice(0, 2)
    expect(find(both)).toEqual([])
  })
})

describe('a tenant that was found before', () => {
  it('presses on while it asks for more than is usual, refused calls counted, and harms while others suffer', () => {
    const held = { ...flood, isHeld: true, now: still({ tokens: 8_000, refused: 200 }) }
    expect(find([held, ...others(fine)])).toMatchObject([{ verdict: { kind: 'pressing', harms: false } }])
    expect(find([held, ...others(slow)])).toMatchObject([{ verdict: { kind: 'pressing', harms: true } }])
  })

  it('is calm when it asks for what is usual, though others suffer from something else', () => {
    expect(find([{ ...flood, isHeld: true, now: still(fine) }, ...others(slow)])).toEqual([])
  })

  it('is no culprit by what was refused of others: only who was found is judged by it', () => {
    expect(find([{ ...flood, now: still({ tokens: 5_000, refused: 400 }) }, ...others(slow)])).toEqual([])
  })
})

describe('what is held in memory', () => {
  it('grows with backends, not with tenants: of each backend few suspects and sufferers are kept, the worst', () => {
    const watch = new BackendWatch()
    const expected = expectedAt(normalOf(steady, shared), END_MS - MINUTE_MS)
    for (let i = 0; i < 500; i++) {
      const tokens = i % 2 === 0 ? 50_000 + i : 5_000
      const minutes = [3, 2, 1].map((back) =>
        figures(END_MS - back * MINUTE_MS, shared, { tokens, latencyMs: 1_000 + i * 10 }),
      )
      const pool = { id: shared, backendIds: [shared], aliases: ['chat'] }
      const seen = { tenantId: `ten_${i}` as const, pool, weight: 1, tokensPerMinute: 1e6, minutes, expected }
      watch.add(standingOf(seen, END_MS), false)
    }
    const [view] = watch.views()
    expect(view?.suspects).toHaveLength(16)
    expect(view?.sufferers).toHaveLength(20)
    expect(view?.suspects[0]?.standing.tenantId).toBe('ten_498')
  })
})
