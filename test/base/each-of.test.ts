import { eachOf, moreAndMore } from '../../src/base/each-of'
import { handClock } from '../harness/hand-clock'

async function* numbersTo(end: number) {
  for (let number = 0; number < end; number++) yield number
}

describe('work on each as they come', () => {
  it.each([1, 3, 20])('is done once for each, %p at a time', async (atOnce) => {
    const done: number[] = []
    let [working, most] = [0, 0]
    const count = await eachOf(numbersTo(50), atOnce, async (number) => {
      most = Math.max(most, ++working)
      await new Promise(setImmediate)
      done.push(number)
      working--
    })
    expect([count, most]).toEqual([50, atOnce])
    expect(done.toSorted((a, b) => a - b)).toEqual(await Array.fromAsync(numbersTo(50)))
  })

  it('is done by more at once the longer it takes', async () => {
    const clock = handClock()
    const atOnce = moreAndMore(clock, { first: 2, most: 5, everyMs: 1_000 })
    let working = 0
    const seen: number[] = []
    await eachOf(numbersTo(100), atOnce, async (number) => {
      seen.push(++working)
      if (number % 10 === 0) await clock.advance(1_000)
      await new Promise(setImmediate)
      working--
    })
    expect(Math.max(...seen.slice(0, 2))).toBeLessThanOrEqual(2)
    expect(Math.max(...seen)).toBe(5)
  })

  it('ends with the first failure, of the work or of what comes', async () => {
    const failing = eachOf(numbersTo(9), 2, async (number) => {
      if (number === 4) throw new Error('the fourth')
    })
    await expect(failing).rejects.toThrow('the fourth')
    async function* torn() {
      yield 1
      throw new Error('no more')
    }
    await expect(eachOf(torn(), 3, async () => {})).rejects.toThrow('no more')
  })

  it('is none where nothing comes', async () => {
    expect(await eachOf(numbersTo(0), 4, async () => {})).toBe(0)
  })
})
