import { CallWatch, type PassedTimeout } from '../../src/azure/call-watch'
import { handClock } from '../harness/hand-clock'

const timeouts = { connectMs: 100, firstByteMs: 1_000, idleMs: 500, totalMs: 10_000 }

function setUp(more: Partial<typeof timeouts> = {}) {
  const clock = handClock()
  const passed: PassedTimeout[] = []
  let paused = false
  const call = {
    get isPaused() {
      return paused
    },
    timedOut: (what: PassedTimeout) => {
      passed.push(what)
      watch.over()
    },
  }
  const watch = new CallWatch(clock, call, { ...timeouts, ...more })
  return { clock, watch, passed, pause: (value: boolean) => (paused = value) }
}

describe('the timeouts of a call', () => {
  it('pass in the phase that they are of', async () => {
    const connecting = setUp()
    connecting.watch.waits()
    await connecting.clock.advance(100)
    expect(connecting.passed).toEqual(['connect'])

    const waiting = setUp()
    waiting.watch.waits()
    waiting.watch.sent()
    await waiting.clock.advance(999)
    expect(waiting.passed).toEqual([])
    await waiting.clock.advance(1)
    expect(waiting.passed).toEqual(['first-byte'])
  })

  it('of a pause count from the last piece', async () => {
    const { clock, watch, passed } = setUp()
    watch.sent()
    for (let i = 0; i < 8; i++) {
      watch.piece()
      await clock.advance(499)
    }
    expect(passed).toEqual([])
    await clock.advance(1)
    expect(passed).toEqual(['idle'])
  })

  it('of a pause do not count time in which the reader takes nothing', async () => {
    const { clock, watch, passed, pause } = setUp()
    watch.sent()
    watch.piece()
    pause(true)
    await clock.advance(5_000)
    expect(passed).toEqual([])
    pause(false)
    watch.piece()
    await clock.advance(1_000)
    expect(passed).toEqual(['idle'])
  })

  it('of the whole call pass in any phase, however lively it is', async () => {
    const lively = setUp({ totalMs: 3_000 })
    lively.watch.sent()
    for (let i = 0; i < 40; i++) {
      lively.watch.piece()
      await lively.clock.advance(100)
    }
    expect(lively.passed).toEqual(['total'])

    const waiting = setUp({ totalMs: 600 })
    waiting.watch.sent()
    await waiting.clock.advance(600)
    expect(waiting.passed).toEqual(['total'])
  })

  it('are over with the call', async () => {
    const { clock, watch, passed } = setUp()
    watch.waits()
    watch.sent()
    watch.piece()
    watch.over()
    watch.piece()
    await clock.advance(60_000)
    expect(passed).toEqual([])
  })
})
