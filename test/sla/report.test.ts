import { Problem } from '../../src/base/problem'
import { slaPage, slaPageHeaders } from '../../src/http/sla-page'
import { makeReport, type ReportInput } from '../../src/sla/make-report'
import type { UsagePiece } from '../../src/sla/minute-counts'
import { inMaintenance, type Maintenance } from '../../src/sla/maintenance'
import type { Objective } from '../../src/sla/objective'
import type { SlaReport } from '../../src/sla/sla-report'
import { availability, failed, good, groupOf, ordinary, tenantId } from './sla-fixtures'
import { slaWorld, upstreamFailed } from './sla-world'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const start = Date.UTC(2026, 10, 1)
const latency: Objective = { kind: 'latency', p95Ms: 1_000 }

const times = (count: number, ms: number) => Array.from({ length: count }, () => ms)

/** On the 2nd 1,000 calls of which 3 failed; on the 3rd 1,000 good ones, 40 of them slow; an hour of maintenance on the 4th. */
const pieces: UsagePiece[] = [
  { startMs: start + DAY_MS, groups: [good(997, { latencies: times(997, 200) }), failed(3)] },
  { startMs: start + 2 * DAY_MS, groups: [good(1_000, { latencies: [...times(960, 200), ...times(40, 5_000)] })] },
  { startMs: start + 3 * DAY_MS + HOUR_MS, groups: [failed(500)] },
  { startMs: start + 4 * DAY_MS, groups: [groupOf({ outcome: 'unsettled', sums: { unsettled: 2 } })] },
]
const window: Maintenance = {
  id: 'mnt_1',
  title: 'A new <network>',
  from: start + 3 * DAY_MS,
  to: start + 3 * DAY_MS + 2 * HOUR_MS,
  announcedAt: start,
}

const reportOf = (more: Partial<ReportInput> = {}): Promise<SlaReport> =>
  makeReport({
    tenantId,
    month: '2026-11',
    toMs: start + 30 * DAY_MS,
    state: 'final',
    objectives: [availability, latency],
    pieces,
    circumstances: { ...ordinary, isMaintenance: inMaintenance([window]), endedBeforeMs: start + 30 * DAY_MS },
    incidents: [],
    maintenance: [window],
    madeAtMs: start + 33 * DAY_MS,
    ...more,
  })

describe('a month’s report', () => {
  it('says what was reached, counted by hand', async () => {
    const { objectives, calls } = await reportOf()
    // 3 failed and 2 lost in a crash of 2,002; 0.1 % of them are 2.002.
    expect(objectives[0]).toMatchObject({
      result: 'missed',
      good: 1_997,
      bad: 5,
      goodPercent: 99.75,
      errorBudget: { calls: 2, spent: 5, spentPercent: 249.75 },
    })
    // 40 of 1,997 answered calls were slower than the bound, and 5 % of them may be.
    expect(objectives[1]).toMatchObject({ result: 'met', good: 1_957, bad: 40, goodPercent: 97.996 })
    expect(objectives[1]?.p95Ms).toBeGreaterThan(195)
    expect(objectives[1]?.p95Ms).toBeLessThan(205)
    expect(calls).toMatchObject({ all: 2_502, counted: 2_002, pending: 0 })
    expect(calls.excluded.find(({ reason }) => reason === 'maintenance')).toMatchObject({ calls: 500 })
  })

  it('has every day, with null where there were no calls, and the worst day as it was', async () => {
    const { objectives } = await reportOf()
    const days = objectives[0]?.days ?? []
    expect(days).toHaveLength(30)
    expect(days[0]).toEqual({ date: '2026-11-01', good: 0, bad: 0, goodPercent: null, p95Ms: null })
    expect(days[1]).toMatchObject({ date: '2026-11-02', goodPercent: 99.7 })
    expect(days[3]).toMatchObject({ date: '2026-11-04', goodPercent: null })
    expect(objectives[1]?.days[2]?.p95Ms).toBeLessThan(205)
  })

  it('adds up, whatever the order and the pieces in which usage is read', async () => {
    const turned = pieces.toReversed().map((piece) => ({ ...piece, groups: piece.groups.toReversed() }))
    const cut = turned.flatMap(({ startMs, groups }) => groups.map((group) => ({ startMs, groups: [group] })))
    expect(await reportOf({ pieces: cut })).toEqual(await reportOf())
  })

  it('meets an objective with exactly as many bad calls as it may have, and misses it with one more', async () => {
    const of = async (calls: number, bad: number) =>
      (await reportOf({ pieces: [{ startMs: start, groups: [good(calls - bad), failed(bad)] }] })).objectives[0]?.result
    expect([await of(1_000, 1), await of(1_000, 2), await of(3_000, 3), await of(3_000, 4)]).toEqual([
      'met',
      'missed',
      'met',
      'missed',
    ])
    expect((await reportOf({ pieces: [] })).objectives[0]?.result).toBe('no-calls')
  })
})

describe('the page of a report', () => {
  const page = async (more: Partial<ReportInput> = {}) => slaPage(await reportOf(more), 'Acorn Notes')

  it('stands by itself: nothing is loaded, nothing runs, and its style is the one that it may have', async () => {
    const text = await page()
    expect(text).not.toMatch(/<script|<link|<img|<iframe|src=|style="|@import|url\(|\son\w+=/)
    expect(slaPageHeaders['content-security-policy']).toMatch(/default-src 'none'; style-src 'sha256-[\w+/=]{44}'/)
    expect(text).toContain('@media print')
  })

  it('has an end for every beginning, and no text of anybody’s as markup', async () => {
    const text = await page()
    const open: string[] = []
    for (const [, slash, name = ''] of text.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
      if (name === 'meta') continue
      if (slash) expect(open.pop()).toBe(name)
      else open.push(name)
    }
    expect(open).toEqual([])
    expect(text).toContain('A new &#60;network&#62;')
  })

  it('has a picture for each objective that says in words what it shows', async () => {
    const text = await page()
    const pictures = [...text.matchAll(/<svg[^>]*role="img"\s+aria-labelledby="(\S+) (\S+)"[^]*?<\/svg>/g)]
    expect(pictures).toHaveLength(2)
    for (const [picture, title = '', description = ''] of pictures) {
      expect(picture).toContain(`<title id="${title}">`)
      expect(text).toContain(`<figcaption id="${description}">`)
    }
    // Of three days calls counted; two of them are beyond the promise.
    const [first = ''] = pictures[0] ?? []
    expect(first.match(/<rect/g)).toHaveLength(3)
    expect(first.match(/class="over"/g)).toHaveLength(2)
    expect(first).toContain('2026-11-02: 99.7 %')
    expect(text).toMatch(/2 of 3 days with calls are beyond 99\.9\s%: 2026-11-02, 2026-11-05\./)
  })

  it('shows what counted and what did not, and why', async () => {
    const text = await page()
    expect(text).toContain('no: maintenance')
    expect(text).toContain('announced a day or more before')
    expect(text).toMatch(/<td class="number" data-head="Calls">500<\/td>/)
    expect(text).toContain('<span class="missed">Missed</span>')
  })
})

describe('reports', () => {
  it('of a month that is over are made of final usage, frozen once, and stay as they are', async () => {
    const world = await slaWorld()
    const sla = world.instance()
    await world.call(0, 999)
    await world.call(1, 1, upstreamFailed)
    await world.at(2)
    const provisional = await sla.controlPlane.reports.of(world.scope, '2026-11')
    expect(provisional).toMatchObject({ state: 'provisional', objectives: [{ result: 'met' }, {}, {}] })
    // A day after the month nothing is frozen yet; three days after it everything is.
    world.clock.nowMs = Date.UTC(2026, 11, 2, 4, 10)
    await world.rollUp.run()
    expect(await sla.freeze()).toBe(0)
    world.clock.nowMs = Date.UTC(2026, 11, 4, 4, 10)
    await world.rollUp.run()
    expect(await Promise.all([sla.freeze(), world.instance().freeze()])).toContain(1)
    const final = await sla.controlPlane.reports.of(world.scope, '2026-11')
    expect(final).toMatchObject({ state: 'final', calls: { all: 1_000, counted: 1_000 } })
    expect([...world.published.keys()].filter((id) => id.startsWith('sla-report/'))).toEqual([
      `sla-report/${tenantId}/2026-11`,
    ])

    // What is promised later changes nothing of it, nor does another run.
    await sla.controlPlane.store.putPolicy(
      world.scope,
      { objectives: [{ kind: 'availability', percent: 50 }] },
      () => true,
    )
    expect(await sla.freeze()).toBe(0)
    expect(await sla.controlPlane.reports.of(world.scope, '2026-11')).toEqual(final)
  })

  it.each(['2026-12', '2027-01', '2023-12', '2026-13', '2026-1', 'November'])('of %s are refused', async (month) => {
    const world = await slaWorld()
    const report = await world.instance().controlPlane.reports.of(world.scope, month)
    expect(report).toBeInstanceOf(Problem)
    expect(report).toMatchObject({ code: 'invalid_request', param: 'month' })
  })
})
