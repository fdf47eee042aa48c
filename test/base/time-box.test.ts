import { eachOf } from '../../src/base/each-of'
import { TimeBox } from '../../src/base/time-box'
import { handClock } from '../harness/hand-clock'

const numbers = () => {
  const read: number[] = []
  let isClosed = false
  async function* all() {
    try {
      for (let number = 0; number < 10; number++) {
        read.push(number)
        yield await Promise.resolve(number)
      }
    } finally {
      isClosed = true
    }
  }
  return { read, all, isClosed: () => isClosed }
}

describe('a run’s time', () => {
  it('stops in front of the first thing for which there is none left, and lets go of the others', async () => {
    const clock = handClock()
    const time = new TimeBox(clock, 1_000)
    const { read, all, isClosed } = numbers()
    const done: number[] = []
    await eachOf(time.within(all()), 1, async (number) => {
      done.push(number)
      await clock.advance(400)
    })
    expect(done).toEqual([0, 1, 2])
    expect(read).toEqual([0, 1, 2, 3])
    expect(isClosed()).toBe(true)
    expect(time.hasCutOff).toBe(true)
  })

  it('cuts nothing off where the last thing takes it to its end', async () => {
    const clock = handClock()
    const time = new TimeBox(clock, 1_000)
    const count = await eachOf(time.within(numbers().all()), 1, (number) => clock.advance(number === 9 ? 2_000 : 10))
    expect(count).toBe(10)
    expect(time.isOver).toBe(true)
    expect(time.hasCutOff).toBe(false)
  })

  it('is one for everything that a run goes through', async () => {
    const clock = handClock()
    const time = new TimeBox(clock, 1_000)
    await eachOf(time.within(numbers().all()), 1, () => clock.advance(300))
    expect(await Array.fromAsync(time.within(numbers().all()))).toEqual([])
  })

  it('shares its time among those that work side by side', async () => {
    const clock = handClock()
    const time = new TimeBox(clock, 1_000)
    const done: number[] = []
    await eachOf(time.within(numbers().all()), 4, async (number) => {
      done.push(number)
      if (done.length === 4) await clock.advance(1_000)
    })
    expect(done).toHaveLength(4)
    expect(time.hasCutOff).toBe(true)
  })
})
