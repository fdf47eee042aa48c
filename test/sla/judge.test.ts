import fc from 'fast-check'
import type { Incident } from '../../src/sla/incident'
import { judgeTenant, seedOf, type TenantRun } from '../../src/sla/judge-tenant'
import { countAll, minuteOf, startMsOf, type Minute, type UsagePiece } from '../../src/sla/minute-counts'
import { countKey, type Objective } from '../../src/sla/objective'
import { freshFrom, type SlaState, type Telling } from '../../src/sla/sla-state'
import { availability, failed, good, groupOf, noonMs, ordinary, tenantId } from './sla-fixtures'

const noon = minuteOf(noonMs)
const latency: Objective = { kind: 'latency', p95Ms: 1_000 }

/** What came in from noon on, minute by minute; an empty list is a minute without calls. */
type Traffic = readonly (readonly ReturnType<typeof good>[])[]

const piecesOf = (traffic: Traffic, from = noon): UsagePiece[] =>
  traffic.flatMap((groups, at) => (groups.length === 0 ? [] : [{ startMs: startMsOf(from + at), groups }]))

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

/** The timer’s runs over one tenant, as `watchTenant` makes them: each at the end of a minute, with the state as it is stored. */
async function runs(
  traffic: Traffic,
  at: readonly Minute[],
  objectives: readonly Objective[] = [availability],
): Promise<{ incidents: Map<string, Incident>; told: Telling[]; state: SlaState }> {
  const pieces = piecesOf(traffic)
  let state: SlaState = { throughMinute: noon - 60, objectives: {}, untold: [] }
  const incidents = new Map<string, Incident>()
  const told: Telling[] = []
  const countBetween = async (from: Minute, to: Minute) => {
    const its = pieces.filter(({ startMs }) => startMs >= startMsOf(from) && startMs < startMsOf(to))
    const counted = await countAll(objectives, its, ordinary)
    return new Map(objectives.map((objective, i) => [countKey(objective), counted[i] ?? new Map()]))
  }
  for (const toMinute of at) {
    if (toMinute <= state.throughMinute) continue
    const run: TenantRun = {
      tenantId,
      objectives,
      state,
      seeds: new Map(
        Object.keys(state.objectives).length > 0
          ? []
          : objectives.map((one) => [countKey(one), seedOf(new Map(), new Map(), state.throughMinute)]),
      ),
      counted: await countBetween(freshFrom(state.throughMinute), toMinute),
      toMinute,
    }
    const judged = judgeTenant(run)
    for (const incident of judged.changed) incidents.set(incident.id, incident)
    told.push(...judged.state.untold)
    // As storage gives it back.
    state = JSON.parse(JSON.stringify({ ...judged.state, untold: [] }))
  }
  return { incidents, told, state }
}

const eachMinute = (minutes: number, from = noon) => times(minutes, 0).map((_, at) => from + at + 1)
/** Without what is told of the month's budget, which is of the run that finds it. */
const ofIncidents = (told: readonly Telling[]) => told.map(({ kind }) => kind).filter((kind) => kind !== 'overspent')

const minutesSinceNoon = (ms: number) => minuteOf(ms) - noon

describe('an outage', () => {
  const steady = [good(100)]
  const down = [failed(100)]
  const outage: Traffic = [...times(10, steady), ...times(7, down), ...times(60, steady)]

  it('opens an incident in its first minute, and closes with its duration when it has been calm for a quarter of an hour', async () => {
    const { incidents, told } = await runs(outage, eachMinute(77))
    const [incident] = [...incidents.values()]
    expect(incidents.size).toBe(1)
    expect(incident).toMatchObject({
      severity: 'critical',
      startedAt: startMsOf(noon + 10),
      detection: { rule: 'fast', at: startMsOf(noon + 11) },
      end: { at: startMsOf(noon + 17), closedAt: startMsOf(noon + 32), why: 'recovered' },
      evidence: { badMinutes: 7, good: 0, bad: 700, outcomes: { failed: 700 }, deployments: { 'gpt-sweden': 700 } },
    })
    expect(ofIncidents(told)).toEqual(['opened', 'closed'])
  })

  it('is one incident however long it lasts, with evidence that grows', async () => {
    const long: Traffic = [...times(10, steady), ...times(300, down)]
    const { incidents, state } = await runs(long, eachMinute(310))
    expect(incidents.size).toBe(1)
    expect([...incidents.values()][0]).toMatchObject({ evidence: { badMinutes: 300, bad: 30_000 } })
    expect([...incidents.values()][0]?.end).toBeUndefined()
    // What is remembered does not grow with it.
    expect(JSON.stringify(state).length).toBeLessThan(5_000)
  })

  it('of which nobody calls any more closes after an hour of silence, at its last bad minute', async () => {
    const silent: Traffic = [...times(10, steady), ...times(3, down), ...times(120, [])]
    const { incidents } = await runs(silent, eachMinute(133))
    const end = [...incidents.values()][0]?.end
    expect(end).toMatchObject({ at: startMsOf(noon + 13), why: 'silence' })
    expect(minutesSinceNoon(end?.closedAt ?? 0)).toBeGreaterThanOrEqual(13 + 60)
    expect(minutesSinceNoon(end?.closedAt ?? 0)).toBeLessThanOrEqual(13 + 65)
  })

  it('that comes back within the quarter of an hour is the same incident', async () => {
    const flapping: Traffic = [
      ...times(10, steady),
      ...times(3, down),
      ...times(8, steady),
      ...times(3, down),
      ...times(40, steady),
    ]
    const { incidents } = await runs(flapping, eachMinute(64))
    expect(incidents.size).toBe(1)
    expect([...incidents.values()][0]).toMatchObject({
      startedAt: startMsOf(noon + 10),
      end: { at: startMsOf(noon + 24) },
      evidence: { badMinutes: 6 },
    })
  })

  it('that comes back later is another one', async () => {
    const twice: Traffic = [
      ...times(10, steady),
      ...times(3, down),
      ...times(30, steady),
      ...times(3, down),
      ...times(40, steady),
    ]
    const { incidents } = await runs(twice, eachMinute(86))
    expect([...incidents.values()].map(({ startedAt }) => minutesSinceNoon(startedAt))).toEqual([10, 43])
  })

  it('of one alias is an incident of the objectives that concern it, and of no others', async () => {
    const ofChat: Objective = { ...availability, alias: 'chat' }
    const ofSearch: Objective = { ...availability, alias: 'search' }
    const traffic: Traffic = times(20, [failed(50), good(50, { alias: 'search' })])
    const { incidents } = await runs(traffic, eachMinute(20), [ofChat, ofSearch])
    expect([...incidents.values()].map(({ objective }) => objective)).toEqual([ofChat])
  })

  it('whose calls settle late is found when they do', async () => {
    // Time-outs: for two minutes nothing is known of the calls, then they have failed in the minutes in which they came.
    const early = await runs([...times(10, steady), [], []], eachMinute(12))
    expect(early.incidents.size).toBe(0)
    const late = await runs([...times(10, steady), down, down, []], eachMinute(13))
    expect([...late.incidents.values()]).toMatchObject([{ startedAt: startMsOf(noon + 10) }])
  })
})

describe('an objective', () => {
  it('that is broken a little for long is a warning, and critical once it is broken much', async () => {
    const little = [good(992), failed(8)]
    const traffic: Traffic = [...times(330, [good(1_000)]), ...times(360, little), ...times(10, [failed(1_000)])]
    const { incidents, told } = await runs(traffic, eachMinute(700))
    expect(ofIncidents(told)).toEqual(['opened', 'worsened'])
    expect([...incidents.values()]).toMatchObject([{ severity: 'critical', detection: { rule: 'slow' } }])
  })

  it('is not broken by what its budget is for', async () => {
    const { incidents } = await runs(times(600, [good(1_999), failed(1)]), eachMinute(600))
    expect(incidents.size).toBe(0)
  })

  it('of latency is broken where too few calls are fast enough', async () => {
    const fast = [good(100, { latencies: times(100, 300) })]
    const slow = [good(100, { latencies: [...times(20, 300), ...times(80, 4_000)] })]
    const { incidents } = await runs([...times(5, fast), ...times(60, slow)], eachMinute(65), [latency])
    expect([...incidents.values()]).toMatchObject([
      { objective: latency, startedAt: startMsOf(noon + 5), evidence: { outcomes: { slow: expect.any(Number) } } },
    ])
    const almost = [good(100, { latencies: [...times(96, 300), ...times(4, 4_000)] })]
    expect((await runs(times(120, almost), eachMinute(120), [latency])).incidents.size).toBe(0)
  })

  it('that is taken back closes its incident', async () => {
    const { state } = await runs([...times(5, [good(10)]), ...times(5, [failed(10)])], eachMinute(10))
    const { changed, state: next } = judgeTenant({
      tenantId,
      objectives: [latency],
      state,
      seeds: new Map(),
      counted: new Map(),
      toMinute: noon + 11,
    })
    expect(changed).toMatchObject([{ end: { at: startMsOf(noon + 10), why: 'objective-changed' } }])
    expect(Object.keys(next.objectives)).toEqual([countKey(latency)])
  })

  it('whose budget of the month is spent is told of once', async () => {
    const overspent = times(40, [good(90), failed(10)])
    const { told } = await runs(overspent, eachMinute(40))
    const news = told.filter(({ kind }) => kind === 'overspent')
    expect(news).toMatchObject([{ month: '2026-11', objective: availability }])
  })
})

describe('runs of the timer', () => {
  /** Good and bad calls of a minute, and such as do not count. */
  const minute = fc.oneof(
    { weight: 6, arbitrary: fc.constant([20, 0, 0]) },
    { weight: 3, arbitrary: fc.nat(20).map((bad) => [20 - bad, bad, 0]) },
    { weight: 2, arbitrary: fc.constant([0, 0, 0]) },
    { weight: 2, arbitrary: fc.constant([0, 0, 5]) },
  )
  /** Stretches, so that there are outages and calms. */
  const stretches = fc.array(fc.tuple(minute, fc.integer({ min: 1, max: 25 })), { minLength: 1, maxLength: 14 })
  const trafficOf = (all: readonly (readonly [readonly number[], number])[]): Traffic =>
    all.flatMap(([counts, length]) => times(length, groupsOf(counts)))
  const groupsOf = ([answered = 0, lost = 0, refused = 0]: readonly number[]) => [
    ...(answered > 0 ? [good(answered)] : []),
    ...(lost > 0 ? [failed(lost)] : []),
    ...(refused > 0 ? [groupOf({ outcome: 'refused', sums: { refused, tenantFaults: refused } })] : []),
  ]

  const known = ({ incidents }: Awaited<ReturnType<typeof runs>>) =>
    [...incidents.values()].map(({ revision, ...incident }) => incident).sort((a, b) => (a.id < b.id ? -1 : 1))

  it('give the same incidents in any order, however many are missing, late or repeated', async () => {
    await fc.assert(
      fc.asyncProperty(stretches, fc.array(fc.nat(400), { maxLength: 25 }), async (drawn, ticks) => {
        const minutes = trafficOf(drawn)
        const last = noon + minutes.length + 80
        const each = await runs(minutes, eachMinute(minutes.length + 80))
        const some = await runs(minutes, [...ticks.map((tick) => Math.min(noon + tick, last)), last])
        const once = await runs(minutes, [last])
        expect(known(some)).toEqual(known(each))
        expect(known(once)).toEqual(known(each))
        expect(ofIncidents(some.told)).toEqual(ofIncidents(each.told))
      }),
      { numRuns: 30 },
    )
  })

  it('never have two incidents of one objective at a time, nor one that ends before it begins', async () => {
    await fc.assert(
      fc.asyncProperty(stretches, async (drawn) => {
        const minutes = trafficOf(drawn)
        const incidents = known(await runs(minutes, eachMinute(minutes.length + 80)))
        const byStart = incidents.sort((a, b) => a.detection.at - b.detection.at)
        for (const [at, { startedAt, detection, end }] of byStart.entries()) {
          expect(detection.at).toBeGreaterThan(startedAt)
          if (end) expect(end.at).toBeGreaterThanOrEqual(startedAt)
          const next = byStart[at + 1]
          if (next) expect(end?.closedAt).toBeLessThan(next.detection.at)
        }
      }),
      { numRuns: 30 },
    )
  })
})
