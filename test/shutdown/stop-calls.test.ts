import { createFairQueue } from '../../src/fairness/fair-queue'
import { RunningCall } from '../../src/inference/running-call'
import { createRunningCalls } from '../../src/inference/running-calls'
import { stopCalls } from '../../src/inference/stop-calls'
import type { CallSettlement } from '../../src/metering/usage-record'
import { handClock } from '../harness/hand-clock'
import { silentLog } from '../metering/read-all'

const rate = { limit: 1, remaining: 1, resetMs: 0 }
const usage = { promptTokens: 1, cachedTokens: 0, outputTokens: 2, reasoningTokens: 0 }
const completed = {
  outcome: 'completed',
  status: 200,
  usage,
  estimated: false,
  backend: undefined,
  attempts: 1,
} as const

const GRACE = { graceMs: 1_000, cutMsMax: 200 }

function setUp() {
  const clock = handClock()
  const runningCalls = createRunningCalls(clock)
  const settlements: CallSettlement[] = []
  let givenBack = 0
  const newCall = () =>
    new RunningCall(
      {
        clock,
        admission: { rates: { requests: rate, tokens: rate }, settle: () => givenBack++ },
        entry: { durable: async () => {}, settle: (settlement) => void settlements.push(settlement) },
        costOf: () => 0,
        onStart: (call) => runningCalls.add(call),
        onEnd: (call) => runningCalls.remove(call),
      },
      { startedAt: 0, startedMonotonicMs: 0 },
    )
  const cuts: number[] = []
  const stop = (onCut = () => {}) => {
    const cut = async () => {
      cuts.push(clock.monotonicMs())
      onCut()
    }
    return stopCalls({ runningCalls, fairQueue: createFairQueue({ clock }), upstream: { cut }, log: silentLog }, GRACE)
  }
  return { clock, runningCalls, newCall, settlements, cuts, stop, givenBack: () => givenBack }
}

/** Steps, since between two looks at what is left nothing else moves the clock. */
async function pass(clock: ReturnType<typeof handClock>, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) await clock.advance(50)
}

describe('a stop', () => {
  it('closes this instance to new calls at once', () => {
    const { runningCalls, stop } = setUp()
    expect(runningCalls.isClosing).toBe(false)
    void stop()
    expect(runningCalls.isClosing).toBe(true)
  })

  it('waits for calls that end within their grace, and cuts nothing off', async () => {
    const { clock, newCall, settlements, cuts, stop } = setUp()
    const call = newCall()
    const stopped = stop()
    await pass(clock, 900)
    call.end(completed)
    await pass(clock, 100)
    await stopped
    expect(cuts).toEqual([])
    expect(settlements).toMatchObject([{ outcome: 'completed' }])
  })

  it('cuts off what is left when the grace is over, and not before', async () => {
    const { clock, newCall, settlements, cuts, stop } = setUp()
    const call = newCall()
    const stopped = stop(() => call.end({ ...completed, outcome: 'interrupted', code: 'shutting_down' }))
    await pass(clock, 950)
    expect(call.isCut).toBe(false)
    await pass(clock, 50)
    await stopped
    expect(call.isCut).toBe(true)
    expect(cuts).toEqual([1_000])
    expect(settlements).toMatchObject([{ outcome: 'interrupted', code: 'shutting_down', usage: { outputTokens: 2 } }])
  })

  it('settles even a call that does not end when it is cut off, and gives back what it held', async () => {
    const { clock, newCall, settlements, stop, givenBack } = setUp()
    newCall()
    newCall().firstByte()
    const stopped = stop()
    await pass(clock, 1_250)
    await stopped
    const code = 'shutting_down'
    expect(settlements).toMatchObject([
      { outcome: 'failed', status: 503, code },
      { outcome: 'interrupted', status: 200, code, estimated: true },
    ])
    expect(givenBack()).toBe(2)
  })
})
