import type { BackendId } from '../../src/base/ids'
import { QUEUES_MAX } from '../../src/fairness/fair-queue'
import { Flows, FLOWS_MAX } from '../../src/fairness/flows'
import { inOrder, street } from './queue'

describe('memory', () => {
  it('does not grow with the tenants and the sets of backends seen, and calls that wait outlast the others', async () => {
    const { clock, go, take, queue } = street({ callsUnderWayMax: 1 })
    const { watch, order } = inOrder()
    const first = go()
    watch('waited', take())
    for (let i = 0; i < 2 * QUEUES_MAX; i++) {
      const backend: BackendId = `bke_${i}`
      go({ backendIds: [backend] }).release(1)
    }
    first.release(1)
    await clock.advance(1)
    expect(order).toEqual(['waited'])
    expect(queue.sets).toBeLessThanOrEqual(QUEUES_MAX)
  })

  it('of a set is that of the tenants that lately called: who is idle is forgotten, who has calls is not', () => {
    const flows = new Flows()
    const idle = flows.of('ten_idle', 0)
    const busy = flows.of('ten_busy', 0)
    busy.underWay = 1
    for (let i = 0; i < 2 * FLOWS_MAX; i++) flows.of(`ten_${i}`, 0)
    expect(flows.of('ten_busy', 0)).toBe(busy)
    expect(flows.of('ten_idle', 0)).not.toBe(idle)
  })
})
