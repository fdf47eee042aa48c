import { createHousekeepingStore, housekeepingStorage } from '../../src/housekeeping/housekeeping-store'
import { afterPiece, countDry, createKeepHouse, isDue } from '../../src/housekeeping/keep-house'
import { createShowHousekeeping, shownHousekeeping } from '../../src/housekeeping/housekeeping-view'
import { purgeIds, type Purge, type PurgeId, type PurgeTurn } from '../../src/housekeeping/purge'
import type { Orchestrations } from '../../src/base/durable-steps'
import { platformTable } from '../../src/storage/platform-table'
import type { Columns } from '../../src/storage/partition-table'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { silentLog } from '../metering/read-all'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const storage = freshStorage()
beforeAll(() => storage.ensure(housekeepingStorage), 30_000)

const noHost: Orchestrations = {
  start: async () => {},
  status: async () => undefined,
  running: async () => [],
  ended: async () => [],
  purge: async () => {},
  raise: async () => {},
}

/** A purge of so many things, at most ten of them in a piece. */
function purgeOf(id: PurgeId, things: number) {
  const state = { left: things, turns: [] as PurgeTurn[] }
  const purge: Purge = {
    id,
    run: async (turn) => {
      state.turns.push(turn)
      const taken = Math.min(10, state.left, turn.countMax)
      if (turn.dry) return { count: taken, position: taken === 10 ? 'more' : undefined }
      state.left -= taken
      return { count: taken, position: state.left > 0 ? String(state.left) : undefined }
    },
  }
  return { purge, state }
}

const clock = handClock()
const newStore = () => createHousekeepingStore(platformTable<Columns>(storage.table('housekeeping')))

it('a round goes on where the run before stopped, in a new process too, and the next one begins a day after it began', async () => {
  const { purge, state } = purgeOf('idempotency', 25)
  const run = () => createKeepHouse({ purges: [purge], store: newStore(), clock, log: silentLog })(noHost)
  expect(await run()).toBe(10)
  await clock.jump(HOUR_MS)
  expect(await run()).toBe(10)
  await clock.jump(HOUR_MS)
  expect(await run()).toBe(5)
  expect(state.turns.map(({ position }) => position)).toEqual([undefined, '15', '5'])
  state.left = 3
  await clock.jump(21 * HOUR_MS)
  expect(await run()).toBe(0)
  await clock.jump(HOUR_MS)
  expect(await run()).toBe(3)
  expect(await newStore().purge('idempotency')).toMatchObject({ removed: 3, removedInRound: 3, removedEver: 28 })
})

it('a purge that fails keeps no other from its turn, and has its own again in the next run', async () => {
  const { purge } = purgeOf('resolved-alerts', 1)
  let fails = true
  const failing: Purge = {
    id: 'dead-letters',
    run: async () => {
      if (fails) throw new Error('storage is away')
      return { count: 2, position: undefined }
    },
  }
  const run = () => createKeepHouse({ purges: [failing, purge], store: newStore(), clock, log: silentLog })(noHost)
  expect(await run()).toBe(1)
  fails = false
  expect(await run()).toBe(2)
})

it('a dry run counts from the beginning, removes nothing, and says where it has not seen all', async () => {
  const few = purgeOf('reconciliation', 4)
  const many = purgeOf('orchestrations', 25)
  const counts = await countDry({ purges: [few.purge, many.purge], clock }, noHost)
  expect(Object.fromEntries(counts)).toEqual({
    reconciliation: { count: 4, isComplete: true },
    orchestrations: { count: 10, isComplete: false },
  })
  expect([few.state.left, many.state.left]).toEqual([4, 25])
})

it('what is shown has the form that the API promises', async () => {
  const purges = purgeIds.map((id) => purgeOf(id, 4).purge)
  const shown = await createShowHousekeeping({ purges, store: newStore(), clock })(noHost)
  expect(shownHousekeeping.parse(shown)).toMatchObject({
    purges: purgeIds.map((id) => ({ id, wouldGo: 4, isComplete: true, isUnderWay: false })),
  })
})

it('a round that is under way is always due, one at its end a day after its beginning', () => {
  const after = afterPiece(undefined, { count: 1, position: 'p' }, 1_000)
  expect(isDue(undefined, 0)).toBe(true)
  expect(isDue(after, 1_000)).toBe(true)
  const ended = afterPiece(after, { count: 2, position: undefined }, 5_000)
  expect(ended).toMatchObject({ roundStartedAt: 1_000, removedInRound: 3, removedEver: 3 })
  expect(isDue(ended, 1_000 + DAY_MS - 1)).toBe(false)
  expect(isDue(ended, 1_000 + DAY_MS)).toBe(true)
})
