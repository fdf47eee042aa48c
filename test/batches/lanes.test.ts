import { systemClock } from '../../src/base/clock'
import type { BatchId, TenantId } from '../../src/base/ids'
import { createLanes, laneStorage } from '../../src/batches/lanes'
import { platformTable } from '../../src/storage/platform-table'
import { freshStorage } from '../harness/storage'

const storage = freshStorage()
beforeAll(() => storage.ensure(laneStorage))

const bounds = { batchesMax: 6, perTenantMax: 3 }
const instance = () => createLanes({ rows: platformTable(storage.table('batchlanes')), bounds, now: systemClock.now })
const ask = (tenantId: TenantId, batchId: BatchId) => ({
  tenantId,
  batchId,
  tokens: 100,
  weight: 1,
  againMs: systemClock.now() + 60_000,
})

describe('lanes of several instances', () => {
  it('let in no more than may be, whoever asks at the same time, and forget what leaves', async () => {
    const [lanes, second, third] = [instance(), instance(), instance()] as const
    const instances = [lanes, second, third]
    const asks = Array.from({ length: 18 }, (_, n) => ask(`ten_${n % 3}`, `batch_${String(n).padStart(2, '0')}`))
    const hasTurn = (turn: boolean) => turn
    // Who asks before somebody with a better place waits for that one, and gets its turn when it asks again, as batches do.
    const asking = async (some: typeof asks) => {
      for (;;) {
        const turns = await Promise.all(
          some.map((asked, n) => (instances[n % instances.length] ?? lanes).take('bke_1', asked)),
        )
        const taken = turns.filter(hasTurn).length
        expect(taken).toBeLessThanOrEqual(bounds.batchesMax)
        if (taken === bounds.batchesMax) return turns
      }
    }
    const first = await asking(asks)
    expect(await asking(asks)).toEqual(first)
    const gone = asks.filter((_, n) => first[n])
    await Promise.all(gone.map(({ batchId }) => lanes.leave('bke_1', batchId)))
    const rest = asks.filter(({ batchId }) => !gone.some((each) => each.batchId === batchId))
    const leftOf = (tenantId: TenantId) => rest.filter((asked) => asked.tenantId === tenantId).length
    expect(await lanes.census('ten_1')).toBe(leftOf('ten_1'))
    await asking(rest)
    await lanes.removeTenant('ten_1')
    expect(await lanes.census('ten_1')).toBe(0)
    expect(await lanes.census('ten_0')).toBe(leftOf('ten_0'))
  })

  it('are each a deployment’s own', async () => {
    const lanes = instance()
    for (const n of [0, 1, 2]) expect(await lanes.take('bke_2', ask('ten_9', `batch_x${n}`))).toBe(true)
    expect(await lanes.take('bke_2', ask('ten_9', 'batch_x3'))).toBe(false)
    expect(await lanes.take('bke_3', ask('ten_9', 'batch_x4'))).toBe(true)
  })
})
