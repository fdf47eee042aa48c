import { createGathering } from '../../src/inference/gathering'
import { handClock } from '../harness/hand-clock'

describe('gathering', () => {
  it('begins in a busy process, and ends only when it is calm again', async () => {
    const clock = handClock()
    let share = 0.1
    const gathering = createGathering(clock, () => share)
    const isGathering = async (now: number) => {
      share = now
      await clock.advance(500)
      const pause = gathering.pause(100)
      await clock.advance(50)
      await pause
      return pause !== undefined
    }
    const seen: boolean[] = []
    for (const now of [0.1, 0.69, 0.71, 0.5, 0.41, 0.39, 0.6]) seen.push(await isGathering(now))
    expect(seen).toEqual([false, false, true, true, true, false, false])
  })

  it('leaves the first pieces of a stream alone, however busy the process is', async () => {
    const clock = handClock()
    const gathering = createGathering(clock, () => 1)
    await clock.advance(500)
    const paused = [1, 2, 7, 8, 9].map((pieces) => gathering.pause(pieces) !== undefined)
    expect(paused).toEqual([false, false, false, true, true])
  })

  it('looks at the process twice a second, however many streams ask', async () => {
    const clock = handClock()
    let looks = 0
    const gathering = createGathering(clock, () => {
      looks++
      return 0
    })
    for (let i = 0; i < 100; i++) {
      await clock.advance(10)
      for (let stream = 0; stream < 20; stream++) expect(gathering.pause(100)).toBeUndefined()
    }
    expect(looks).toBe(2)
  })
})
