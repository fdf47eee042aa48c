import { Problem } from '../../src/base/problem'
import { rotationAzure, rotationWorld } from './rotation-world'

const azure = rotationAzure(50)
let accounts = 0
const world = () => rotationWorld(azure, `killed-${++accounts}`)

/** Begins a rotation, also where that dies: before it is claimed an operator asks again, behind that the timer starts it. */
async function begin(place: Awaited<ReturnType<typeof world>>) {
  await place.start().catch(() => undefined)
  if (place.started.length === 0) await place.rotateDue(place.orchestrations)
  if (place.started.length === 0) await place.start()
}

/** More than a rotation has, so that none is left out; those beyond its end die nowhere. */
const ACTS_MAX = 60

it.each(Array.from({ length: ACTS_MAX }, (_, index) => index + 1))(
  'a rotation that dies behind its act %i goes on from there, and no call fails',
  async (at) => {
    await using place = await world()
    place.death.at = at
    await begin(place)
    expect(await place.run()).toMatchObject({ state: 'completed' })
    expect(at < ACTS_MAX || place.death.done < at).toBe(true)
    const after = Object.values(await place.listKeys())
    expect(after).not.toContain(place.first.key1)
    expect(after).not.toContain(place.first.key2)
    expect(place.failures()).toEqual([])
  },
)

it('a rotation that is lost before any of its steps leaves calls as they are, and the next one begins with what is there', async () => {
  await using place = await world()
  for (const { id } of place.checklist.steps) {
    await place.start()
    await place.run({ stopBefore: id })
    expect([id, (await place.start()) instanceof Problem]).toEqual([id, false])
    expect([id, await place.run()]).toMatchObject([id, { state: 'completed' }])
    expect([id, place.failures()]).toEqual([id, []])
  }
})
