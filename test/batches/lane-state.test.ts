import fc from 'fast-check'
import {
  askTurn,
  emptyLane,
  forgetTenant,
  GONE_AFTER_MS,
  leaveLane,
  type LaneBounds,
  type LaneState,
} from '../../src/batches/lane-state'
import type { BatchId, TenantId } from '../../src/base/ids'

const bounds: LaneBounds = { batchesMax: 4, perTenantMax: 2 }
const MINUTE_MS = 60_000

/** A deployment around one lane: batches ask each minute, and end when the test says so. */
function deployment(laneBounds = bounds) {
  let state: LaneState = emptyLane
  let nowMs = 0
  let made = 0
  const asks = new Map<BatchId, Parameters<typeof askTurn>[1]>()
  const ask = (batchId: BatchId): boolean => {
    const asked = asks.get(batchId)
    if (!asked) throw new Error('no such batch')
    const { lane, hasTurn } = askTurn(state, { ...asked, nowMs, againMs: nowMs + MINUTE_MS }, laneBounds)
    state = lane
    return hasTurn
  }
  return {
    join: (tenantId: TenantId, { tokens = 1_000, weight = 1 } = {}): BatchId => {
      const batchId: BatchId = `batch_${String(++made).padStart(6, '0')}`
      asks.set(batchId, { batchId, tenantId, tokens, weight, againMs: 0, nowMs })
      ask(batchId)
      return batchId
    },
    ask,
    running: () => state.running.map(({ batchId }) => batchId),
    runningOf: (tenantId: TenantId) => state.running.filter((entry) => entry.tenantId === tenantId).length,
    waiting: () => state.waiting.map(({ batchId }) => batchId),
    /** Everyone who waits asks once. */
    round: () => {
      nowMs += MINUTE_MS
      for (const { batchId } of [...state.running, ...state.waiting]) ask(batchId)
    },
    pass: (ms: number) => void (nowMs += ms),
    end: (batchId: BatchId) => {
      state = leaveLane(state, (entry) => entry.batchId === batchId)
    },
    forget: (tenantId: TenantId) => {
      state = forgetTenant(state, tenantId)
    },
    state: () => state,
  }
}

describe('the lane of a deployment', () => {
  it('has no more batches under way than it may, and no more of one tenant', () => {
    const lane = deployment()
    for (let i = 0; i < 5; i++) lane.join('ten_a')
    expect(lane.runningOf('ten_a')).toBe(2)
    for (let i = 0; i < 5; i++) lane.join('ten_b')
    lane.join('ten_c')
    lane.round()
    expect(lane.running()).toHaveLength(4)
    expect(lane.runningOf('ten_c')).toBe(0)
  })

  it('gives a place that is free to the tenant that had least, not to who has asked longest', () => {
    const lane = deployment({ batchesMax: 1, perTenantMax: 1 })
    const first = lane.join('ten_a')
    for (let i = 0; i < 3; i++) lane.join('ten_a')
    const late = lane.join('ten_b')
    lane.end(first)
    lane.round()
    expect(lane.running()).toEqual([late])
  })

  it('takes no batch out of its turn that asks sooner than the one whose turn it is', () => {
    const lane = deployment({ batchesMax: 1, perTenantMax: 1 })
    const first = lane.join('ten_a')
    const own = lane.join('ten_a')
    const other = lane.join('ten_b')
    lane.end(first)
    expect(lane.ask(own)).toBe(false)
    expect(lane.ask(other)).toBe(true)
  })

  it('says the same again to a batch that has its turn, and takes it once', () => {
    const lane = deployment()
    const batch = lane.join('ten_a')
    expect([lane.ask(batch), lane.ask(batch)]).toEqual([true, true])
    expect(lane.running()).toEqual([batch])
  })

  it('passes over who does not come back, and lets it in again when it does', () => {
    const lane = deployment({ batchesMax: 1, perTenantMax: 1 })
    const first = lane.join('ten_a')
    const lost = lane.join('ten_b')
    const next = lane.join('ten_c')
    lane.end(first)
    lane.pass(10 * MINUTE_MS)
    expect(lane.ask(next)).toBe(true)
    expect(lane.ask(lost)).toBe(false)
    lane.end(next)
    expect(lane.ask(lost)).toBe(true)
  })

  it('does not lose the place of a batch that ended nowhere for ever', () => {
    const lane = deployment({ batchesMax: 1, perTenantMax: 1 })
    lane.join('ten_a')
    const other = lane.join('ten_b')
    lane.pass(GONE_AFTER_MS)
    expect(lane.ask(other)).toBe(false)
    lane.pass(2 * MINUTE_MS)
    expect(lane.ask(other)).toBe(true)
  })

  it('knows nothing more of a tenant that is gone', () => {
    const lane = deployment()
    for (let i = 0; i < 3; i++) lane.join('ten_a')
    lane.join('ten_b')
    lane.forget('ten_a')
    expect(JSON.stringify(lane.state())).not.toContain('ten_a')
    expect(lane.runningOf('ten_b')).toBe(1)
  })

  it('shares by weight and tokens among tenants that always have batches waiting', () => {
    const tenant = fc.record({
      weight: fc.constantFrom(1, 2, 4),
      tokens: fc.array(fc.integer({ min: 100, max: 10_000 }), { minLength: 3, maxLength: 10 }),
    })
    fc.assert(
      fc.property(fc.array(tenant, { minLength: 2, maxLength: 4 }), fc.integer(), (tenants, seed) => {
        const lane = deployment({ batchesMax: 2, perTenantMax: 2 })
        const size = new Map<BatchId, { at: number; tokens: number }>()
        const served = tenants.map(() => 0)
        const queued = tenants.map(() => 0)
        const fill = () =>
          tenants.forEach(({ weight, tokens }, at) => {
            while (queued[at] !== undefined && queued[at] < 3) {
              const own = tokens[size.size % tokens.length] ?? 1
              size.set(lane.join(`ten_${at}`, { tokens: own, weight }), { at, tokens: own })
              queued[at] += 1
            }
          })
        let random = seed >>> 0
        const ended = new Set<BatchId>()
        for (let turn = 0; turn < 400; turn++) {
          fill()
          lane.round()
          const running = lane.running()
          random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
          const over = running[random % running.length]
          if (!over || ended.has(over)) continue
          ended.add(over)
          lane.end(over)
          const { at, tokens } = size.get(over) ?? { at: 0, tokens: 0 }
          served[at] = (served[at] ?? 0) + tokens
          queued[at] = (queued[at] ?? 0) - 1
        }
        // By fair queueing two tenants' shares differ by no more than their largest batches over their weights, per place.
        const virtual = served.map((tokens, at) => tokens / (tenants[at]?.weight ?? 1))
        const slack = Math.max(...tenants.map(({ weight, tokens }) => Math.max(...tokens) / weight))
        expect(Math.max(...virtual) - Math.min(...virtual)).toBeLessThanOrEqual(4 * slack)
      }),
      { numRuns: 50 },
    )
  })
})
