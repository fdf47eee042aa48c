import type { TenantId } from '../../src/base/ids'
import { createTenantWalk } from '../../src/tenants/walk-tenants'
import { handClock } from '../harness/hand-clock'
import { silentLog } from '../metering/read-all'

const tenantIds = Array.from({ length: 30 }, (_, n): TenantId => `ten_${String(n).padStart(26, '0')}`)

/** A walk whose looks take as long as the test says, and what it looked at. */
function walkOf({ atOnce, minutes }: { atOnce: number; minutes: number }) {
  const clock = handClock(0)
  const looked: TenantId[] = []
  let running = 0
  let mostAtOnce = 0
  const walk = createTenantWalk({
    tenantIds: async function* () {
      yield* tenantIds
    },
    look: async (tenantId) => {
      mostAtOnce = Math.max(mostAtOnce, (running += 1))
      await clock.sleep(minutes * 60_000)
      running -= 1
      looked.push(tenantId)
      if (tenantId === tenantIds[3]) throw new Error('its data is being moved')
      return 1
    },
    atOnce,
    what: 'looking',
    clock,
    log: silentLog,
  })
  const run = async () => {
    const state = { isDone: false }
    const done = walk().finally(() => (state.isDone = true))
    while (!state.isDone) await clock.advance(60_000)
    return done
  }
  return { run, looked, mostAtOnce: () => mostAtOnce }
}

it.each([1, 8])(
  'a walk of %i at once looks at every tenant, and a failure of one keeps no other from it',
  async (atOnce) => {
    const { run, looked, mostAtOnce } = walkOf({ atOnce, minutes: 0.1 })
    expect(await run()).toBe(tenantIds.length - 1)
    expect(looked.toSorted()).toEqual(tenantIds)
    expect(mostAtOnce()).toBe(atOnce)
  },
)

it.each([1, 8])(
  'a walk of %i at once that takes longer than its time goes on where it stopped, leaving nobody out',
  async (atOnce) => {
    const { run, looked } = walkOf({ atOnce, minutes: 13 * atOnce })
    let runs = 0
    while (looked.length < tenantIds.length) {
      const before = looked.length
      await run()
      expect(looked.length).toBeGreaterThan(before)
      runs += 1
    }
    expect(runs).toBeGreaterThan(1)
    expect(looked.toSorted()).toEqual(tenantIds)
  },
)
