import { platformPartition } from '../../src/storage/connect'
import { slaWorld, upstreamFailed } from './sla-world'

it('a month is judged by what was promised when it ended, whatever is promised before its report is frozen', async () => {
  const world = await slaWorld()
  const sla = world.instance()
  const { store, reports } = sla.controlPlane
  const promise = (percent: number) =>
    store.putPolicy(world.scope, { objectives: [{ kind: 'availability', percent }] }, () => true)
  await world.call(0, 90)
  await world.call(1, 10, upstreamFailed)
  await world.at(2)
  const promised = async () => {
    const report = await reports.of(world.scope, '2026-11')
    return 'objectives' in report ? report.objectives.map(({ objective, result }) => [objective.percent, result]) : []
  }
  await promise(99)
  expect(await promised()).toEqual([[99, 'missed']])
  await promise(80)
  expect(await promised()).toEqual([[80, 'met']])
  await promise(95)

  world.clock.nowMs = Date.UTC(2026, 11, 1, 0, 0, 1)
  await promise(50)
  await promise(60)
  expect(await promised()).toEqual([[95, 'missed']])
  expect(await store.policy(world.scope)).toMatchObject({ objectives: [{ percent: 60 }], version: 5 })
  world.clock.nowMs = Date.UTC(2026, 11, 4, 4, 10)
  await world.rollUp.run()
  expect(await sla.freeze()).toBe(1)
  expect(await promised()).toEqual([[95, 'missed']])
})

it('a month that is not done for everybody is told to nobody again, however long that lasts', async () => {
  const world = await slaWorld()
  const sla = world.instance()
  await world.call(0, 10)
  await world.at(1)
  const freezeOn = (day: number) => {
    world.clock.nowMs = Date.UTC(2026, 11, day, 4, 10)
    return sla.freeze()
  }
  expect(await freezeOn(4)).toBe(1)
  expect([...world.published.keys()]).toEqual([expect.stringMatching(/^sla-report\//)])
  // As it is when another tenant’s report fails for weeks, and the outbox has forgotten the notice.
  world.published.clear()
  await world.storage.table('slaindex').deleteEntity(platformPartition, 'frozen-2026-11')
  expect(await freezeOn(45)).toBe(1)
  expect(world.published.size).toBe(0)
})
