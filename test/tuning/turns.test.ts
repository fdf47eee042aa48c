import fc from 'fast-check'
import type { TenantId, TuningJobId } from '../../src/base/ids'
import {
  askTurn,
  chooseNext,
  forgetTenant,
  GONE_AFTER_MS,
  leaveTurns,
  noTurns,
  STARVING_MS,
  type TurnState,
  type WaitingJob,
} from '../../src/tuning/turns'

const MINUTE_MS = 60_000
/** Between two looks of everybody. */
const TICK_MS = 10 * MINUTE_MS
const HOUR_MS = 3_600_000
const tenant = (n: number): TenantId => `ten_${String(n).padStart(3, '0')}`
const job = (n: number, of = 0): TuningJobId => `ftjob-${String(of).padStart(3, '0')}${String(n).padStart(4, '0')}`
const bounds = { jobsMax: 3, perTenantMax: 2 }

const asking = (jobId: TuningJobId, tenantId: TenantId, nowMs: number, more: Partial<WaitingJob> = {}) => ({
  jobId,
  tenantId,
  tokens: 1_000_000,
  weight: 1,
  againMs: nowMs + TICK_MS,
  ...more,
  nowMs,
})

/** Tenants hand in jobs at once; each job asks every ten minutes and trains for `trainingMs` once it has its turn. */
function simulate({
  tenants,
  jobsEach,
  trainingMs,
  weightOf = () => 1,
  jobsMax = 3,
}: {
  tenants: number
  jobsEach: number | ((n: number) => number)
  trainingMs: number
  weightOf?: (n: number) => number
  jobsMax?: number
}) {
  const waiting = Array.from({ length: tenants }, (_, t) =>
    Array.from({ length: typeof jobsEach === 'number' ? jobsEach : jobsEach(t) }, (__, n) => ({
      jobId: job(n, t),
      tenantId: tenant(t),
      weight: weightOf(t),
    })),
  )
    .flat()
    // All are there before anybody has a second one.
    .toSorted((a, b) => (a.jobId.slice(-4) < b.jobId.slice(-4) ? -1 : 1))
  const left = new Map(waiting.map((each) => [each.jobId, each]))
  const training = new Map<TuningJobId, number>()
  const turns: { jobId: TuningJobId; tenantId: TenantId; atMs: number }[] = []
  let state: TurnState = noTurns
  let atOnceMax = 0
  for (let nowMs = 0; left.size + training.size > 0 && nowMs < 10_000 * HOUR_MS; nowMs += TICK_MS) {
    for (const [jobId, endMs] of training) {
      if (endMs > nowMs) {
        const tenantId = turns.find((turn) => turn.jobId === jobId)?.tenantId ?? tenant(0)
        state = askTurn(state, asking(jobId, tenantId, nowMs), { ...bounds, jobsMax }).turns
        continue
      }
      training.delete(jobId)
      state = leaveTurns(state, (entry) => entry.jobId === jobId)
    }
    for (const { jobId, tenantId, weight } of left.values()) {
      const { turns: next, hasTurn } = askTurn(state, asking(jobId, tenantId, nowMs, { weight }), {
        ...bounds,
        jobsMax,
      })
      state = next
      if (!hasTurn) continue
      left.delete(jobId)
      training.set(jobId, nowMs + trainingMs)
      turns.push({ jobId, tenantId, atMs: nowMs })
    }
    atOnceMax = Math.max(atOnceMax, training.size)
  }
  return { turns, atOnceMax }
}

describe('20 tenants with 5 jobs each on an account that trains 3 at a time', () => {
  it('have a turn each before anybody has a second one, and so on to the last', () => {
    const { turns, atOnceMax } = simulate({ tenants: 20, jobsEach: 5, trainingMs: 30 * MINUTE_MS })
    expect(turns).toHaveLength(100)
    expect(atOnceMax).toBe(3)
    for (let round = 0; round < 5; round++) {
      const served = turns.slice(round * 20, round * 20 + 20).map(({ tenantId }) => tenantId)
      expect(new Set(served).size).toBe(20)
    }
  })

  it('have turns by their weights while all of them wait', () => {
    const weightOf = (n: number) => (n < 5 ? 4 : 1)
    const { turns } = simulate({ tenants: 20, jobsEach: 5, trainingMs: 10 * MINUTE_MS, weightOf })
    // Of the first turns those of weight 4 have four each in the time in which the others have one.
    const first = turns.slice(0, 35)
    const of = (n: number) => first.filter(({ tenantId }) => tenantId === tenant(n)).length
    for (let n = 0; n < 5; n++) expect(of(n)).toBeGreaterThanOrEqual(3)
    for (let n = 5; n < 20; n++) expect(of(n)).toBe(1)
  })

  it('starve nobody: even of the least weight each gets on within the bound, however long a training takes', () => {
    const trainingMs = 4 * HOUR_MS
    const weightOf = (n: number) => (n === 19 ? 0.001 : 10)
    const { turns } = simulate({ tenants: 20, jobsEach: 5, trainingMs, weightOf })
    const light = turns.filter(({ tenantId }) => tenantId === tenant(19))
    const gaps = light.map(({ atMs }, n) => atMs - (light[n - 1]?.atMs ?? 0))
    // Starving, and then one turn of each tenant that starves longer.
    const waitMax = STARVING_MS + Math.ceil(20 / 3) * trainingMs
    expect(light).toHaveLength(5)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(waitMax)
  })
})

describe('a tenant that fills the queue', () => {
  it('is not served faster for it, not even when everything has waited long', () => {
    const jobsEach = (n: number) => (n === 0 ? 60 : 3)
    const { turns } = simulate({ tenants: 6, jobsEach, trainingMs: 5 * HOUR_MS })
    // While the others wait, it has no more than its share of the turns.
    const othersEnd = turns.findLastIndex(({ tenantId }) => tenantId !== tenant(0))
    const ofFlood = turns.slice(0, othersEnd).filter(({ tenantId }) => tenantId === tenant(0)).length
    expect(ofFlood).toBeLessThanOrEqual(4)
  })
})

const step = fc.record({
  act: fc.constantFrom('ask', 'ask', 'ask', 'leave', 'forget', 'wait'),
  tenant: fc.nat(4),
  job: fc.nat(5),
  tokens: fc.integer({ min: 1, max: 10_000_000 }),
  weight: fc.constantFrom(0.1, 1, 4, 10),
  ms: fc.integer({ min: 0, max: 2 * GONE_AFTER_MS }),
  jobsMax: fc.integer({ min: 1, max: 3 }),
})

describe('turns at an account, in whatever order they are asked for', () => {
  it('are never more than may be at once, of all or of one tenant, and no job is in twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        let state: TurnState = noTurns
        let nowMs = 0
        for (const { act, tenant: t, job: n, tokens, weight, ms } of steps) {
          const [jobId, tenantId] = [job(n, t), tenant(t)]
          if (act === 'wait') nowMs += ms
          else if (act === 'leave') state = leaveTurns(state, (entry) => entry.jobId === jobId)
          else if (act === 'forget') state = forgetTenant(state, tenantId)
          else state = askTurn(state, asking(jobId, tenantId, nowMs, { tokens, weight }), bounds).turns
          const all = [...state.running, ...state.waiting].map((entry) => entry.jobId)
          expect(new Set(all).size).toBe(all.length)
          expect(state.running.length).toBeLessThanOrEqual(bounds.jobsMax)
          for (let each = 0; each < 5; each++)
            expect(state.running.filter((entry) => entry.tenantId === tenant(each)).length).toBeLessThanOrEqual(
              bounds.perTenantMax,
            )
          if (act === 'forget') expect(JSON.stringify(state)).not.toContain(tenantId)
        }
      }),
    )
  })

  it('leave no place empty while somebody who asks may have it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let state: TurnState = noTurns
        const nowMs = 0
        for (const { tenant: t, job: n, tokens, weight } of steps)
          state = askTurn(state, asking(job(n, t), tenant(t), nowMs, { tokens, weight }), bounds).turns
        // Everybody asks once more: whoever has a place by then, nobody is left who may have one.
        for (const { jobId, tenantId, tokens, weight } of state.waiting)
          state = askTurn(state, asking(jobId, tenantId, nowMs, { tokens, weight }), bounds).turns
        for (const { jobId, tenantId, tokens, weight } of state.waiting)
          state = askTurn(state, asking(jobId, tenantId, nowMs, { tokens, weight }), bounds).turns
        expect(chooseNext(state, bounds, nowMs)).toBeUndefined()
      }),
    )
  })

  it('do not wait for a job that does not come back', () => {
    let state = askTurn(noTurns, asking(job(1), tenant(1), 0), { jobsMax: 1, perTenantMax: 1 }).turns
    const late = 2 * GONE_AFTER_MS
    const asked = askTurn(state, asking(job(2), tenant(2), late), { jobsMax: 1, perTenantMax: 1 })
    expect(asked.hasTurn).toBe(true)
    state = asked.turns
    expect(state.running.map(({ jobId }) => jobId)).toEqual([job(2)])
  })
})
