import { Gates, RENEWALS_UNDER_WAY_MAX, type Gate } from '../../src/limits/gates'
import { handClock } from '../harness/hand-clock'

const TICK_MS = 250
const log = { info: () => {}, warn: () => {}, error: () => {} }

/** A lease that is always old, in a storage that answers when it is told to. */
class OldLease implements Gate {
  isRenewing = false
  renewals = 0
  readonly usedAtMs = 0

  isIdle(): boolean {
    return false
  }

  tend(): boolean {
    if (this.isRenewing) return false
    this.isRenewing = true
    this.renewals += 1
    return true
  }

  async leave(): Promise<void> {}
}

function houseOf(count: number) {
  const clock = handClock()
  const house = new Gates<OldLease>({ clock, log }, { what: 'leases', tickMs: TICK_MS })
  const leases = Array.from({ length: count }, (_, i) => house.of(`lease ${i}`, () => new OldLease()))
  return { clock, house, leases, underWay: () => leases.filter(({ isRenewing }) => isRenewing).length }
}

describe('a house of more leases than storage renews in time', () => {
  it('has a bounded number of renewals under way, however long they take', async () => {
    const { clock, house, underWay } = houseOf(3 * RENEWALS_UNDER_WAY_MAX)
    await clock.advance(20 * TICK_MS)
    expect(underWay()).toBe(RENEWALS_UNDER_WAY_MAX)
    await house.close()
  })

  it('gives each its turn before any has a second one', async () => {
    const { clock, house, leases } = houseOf(3 * RENEWALS_UNDER_WAY_MAX)
    for (let look = 0; look < 3; look++) {
      await clock.advance(TICK_MS)
      for (const lease of leases) lease.isRenewing = false
    }
    expect(new Set(leases.map(({ renewals }) => renewals))).toEqual(new Set([1]))
    await house.close()
  })
})
