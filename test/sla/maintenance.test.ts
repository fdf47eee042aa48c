import { Problem } from '../../src/base/problem'
import { ANNOUNCED_AHEAD_MS, inMaintenance, MAINTENANCE_MS_MAX, type MaintenanceInput } from '../../src/sla/maintenance'
import { noonMs } from './sla-fixtures'
import { slaWorld } from './sla-world'

const HOUR_MS = 3_600_000
const iso = (ms: number) => new Date(ms).toISOString()
const from = noonMs + ANNOUNCED_AHEAD_MS + HOUR_MS
const input = (more: Partial<MaintenanceInput> = {}): MaintenanceInput => ({
  title: 'A new network',
  from: iso(from),
  to: iso(from + 2 * HOUR_MS),
  ...more,
})

async function world() {
  const { instance, ...rest } = await slaWorld()
  const { maintenances } = instance().controlPlane
  return { ...rest, maintenances }
}

describe('a maintenance', () => {
  it('that is announced excludes the calls of its hours, and no others', async () => {
    const { maintenances } = await world()
    expect(await maintenances.announce('mnt_a', input())).toMatchObject({
      from,
      to: from + 2 * HOUR_MS,
      announcedAt: noonMs,
    })
    const windows = await maintenances.within({ fromMs: from + HOUR_MS, toMs: from + HOUR_MS + 1 })
    const isIn = inMaintenance(windows)
    expect([from - 1, from, from + 2 * HOUR_MS - 1, from + 2 * HOUR_MS].map((ms) => isIn(ms, null))).toEqual([
      false,
      true,
      true,
      false,
    ])
    expect(await maintenances.within({ fromMs: from + 2 * HOUR_MS, toMs: from + 3 * HOUR_MS })).toEqual([])
  })

  it('of a region excludes what was sent there', async () => {
    const { maintenances } = await world()
    await maintenances.announce('mnt_a', input({ regions: ['westeurope'] }))
    const isIn = inMaintenance(await maintenances.within({ fromMs: from, toMs: from + 1 }))
    expect([isIn(from, 'westeurope'), isIn(from, 'swedencentral'), isIn(from, null)]).toEqual([true, false, false])
  })

  it.each([
    ['announced too late', 'from', { from: iso(noonMs + ANNOUNCED_AHEAD_MS - HOUR_MS) }],
    ['of the past', 'from', { from: iso(noonMs - HOUR_MS), to: iso(noonMs) }],
    ['years ahead', 'from', { from: iso(noonMs + 400 * 24 * HOUR_MS), to: iso(noonMs + 401 * 24 * HOUR_MS) }],
    ['without a length', 'to', { to: iso(from) }],
    ['longer than half a day', 'to', { to: iso(from + MAINTENANCE_MS_MAX + HOUR_MS) }],
  ] as const)('%s is refused by its %s', async (_, param, more) => {
    const { maintenances } = await world()
    const refused = await maintenances.announce('mnt_a', input(more))
    expect(refused).toBeInstanceOf(Problem)
    expect(refused).toMatchObject({ code: 'invalid_request', param })
    expect(await maintenances.within({ fromMs: 0, toMs: Number.MAX_SAFE_INTEGER })).toEqual([])
  })

  it('that has not begun is taken back; one that has ends with the hour; one that is over stays', async () => {
    const { maintenances, clock } = await world()
    await maintenances.announce('mnt_a', input())
    await maintenances.announce('mnt_b', input())
    await maintenances.end('mnt_a')
    expect(await maintenances.within({ fromMs: from, toMs: from + 1 })).toMatchObject([{ id: 'mnt_b' }])
    clock.nowMs = from + HOUR_MS / 2
    expect(await maintenances.end('mnt_b')).toMatchObject({ to: from + HOUR_MS })
    expect(await maintenances.within({ fromMs: from, toMs: from + 1 })).toMatchObject([{ to: from + HOUR_MS }])
    clock.nowMs = from + HOUR_MS
    expect(await maintenances.end('mnt_b')).toMatchObject({ code: 'conflict' })
    expect(await maintenances.end('mnt_c')).toBeUndefined()
  })
})
