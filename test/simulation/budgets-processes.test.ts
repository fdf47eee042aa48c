import { seeded } from '../chaos/storm'
import { spend } from './budgets/spend'
import { bundle } from './bundle'

const SEED = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 1_000_000)

/** `npm run simulate:limits` has more runs. */
let made: Awaited<ReturnType<typeof bundle>>
beforeAll(async () => {
  made = await bundle('budgets/keeper-process.ts')
})
afterAll(() => made.remove())

describe(`real processes that share one row (seed ${SEED})`, () => {
  const cases = [
    { processes: 1, kill: false },
    { processes: 2, kill: true },
    { processes: 4, kill: false },
    { processes: 4, kill: true },
  ]
  it.each(cases)(
    'let never more than the budget through together ($processes processes, one killed: $kill)',
    async ({ processes, kill }) => {
      const result = await spend({ entry: made.entry, processes, kill, chance: seeded(SEED) })
      expect(result.admittedMin).toBeGreaterThan(20)
      expect(result.refused).toBeGreaterThan(0)
      expect(result.over).toBeLessThanOrEqual(0)
      // The killed one's lease counts as spent for now: a 32nd of the budget, and its calls under way.
      expect(result.usable).toBeGreaterThan(kill ? 0.6 : 0.95)
    },
  )
})
