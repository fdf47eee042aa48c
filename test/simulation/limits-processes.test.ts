import { seeded } from '../chaos/storm'
import { bundle } from './bundle'
import { race, type RaceResult } from './limits/race'

const SEED = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 1_000_000)
const TENANTS = 3
const RUN_MS = 26_000
/** By a clock moved by hand it is 95 % of a minute's (limits.test.ts). Here every renewal that a busy machine holds up costs some more. */
const USABLE_MIN = 0.75
/** A short window, so that it passes twice; leases and renewals are at their real pace, and cost five times the share that they cost of a minute. */
const shape = { windowMs: 12_000, cellMs: 200, skewMsMax: 100, leaseMs: 6_000 }

/** `npm run simulate:limits` has more runs. */
let results: RaceResult[]
beforeAll(async () => {
  const { entry, remove } = await bundle('limits/limiter-process.ts')
  const chance = seeded(SEED)
  const options = { entry, tenants: TENANTS, shape, forMs: RUN_MS, chance }
  results = (
    await Promise.all([
      race({ ...options, processes: 1 }),
      race({ ...options, processes: 2 }),
      race({ ...options, processes: 4, killAfterMs: RUN_MS / 2 }),
    ])
  ).flat()
  await remove()
})

describe(`1, 2 and 4 real processes that share the rows of tenants (seed ${SEED})`, () => {
  it('admit together never more than a limit in any window, even when one is killed', () => {
    expect(results.filter(({ over }) => over > 0)).toEqual([])
    expect(results.map(({ errors }) => errors).join('')).toBe('')
    expect(results.every(({ admitted, limits }) => admitted > 0.5 * limits.requestsPerMinute)).toBe(true)
  })

  it('leave most of a limit usable, in a window of a fifth of a minute', () => {
    expect(results.filter(({ killed, usable }) => !killed && usable < USABLE_MIN)).toEqual([])
  })
})
