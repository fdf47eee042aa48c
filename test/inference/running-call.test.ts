import { RunningCall } from '../../src/inference/running-call'
import type { CallSettlement } from '../../src/metering/usage-record'
import { handClock } from '../harness/hand-clock'

const rate = { limit: 1, remaining: 1, resetMs: 0 }
const usage = { promptTokens: 100, cachedTokens: 20, outputTokens: 30, reasoningTokens: 0 }
const ended = { outcome: 'completed', status: 200, usage, estimated: false, backend: undefined, attempts: 2 } as const

/** A call whose reservations, turn and log entry only remember what they were told. */
function setUp() {
  const told: string[] = []
  const settlements: CallSettlement[] = []
  const admission = (name: string) => ({
    rates: { requests: rate, tokens: rate },
    settle: ({ tokens, microUsd }: { tokens: number; microUsd: number }) =>
      void told.push(`${name} settled at ${tokens} and ${microUsd} µ$`),
  })
  const running = new RunningCall(
    {
      clock: handClock(),
      admission: admission('first'),
      entry: { durable: async () => {}, settle: (settlement) => void settlements.push(settlement) },
      costOf: ({ promptTokens, outputTokens }) => promptTokens + 2 * outputTokens,
      onStart: () => {},
      onEnd: () => void told.push('ended'),
    },
    { startedAt: 0, startedMonotonicMs: 0 },
  )
  return { running, told, settlements, admission }
}

describe('a running call', () => {
  it('settles its part of a backend’s throughput by what was really used', () => {
    const { running } = setUp()
    const used: unknown[] = []
    running.uses({ settle: (tokens) => void used.push(tokens) })
    running.end(ended)
    expect(used).toEqual([usage])
  })

  it('counts the prompts of backends that lost against the one that answered, apart from its usage', () => {
    const { running, told, settlements } = setUp()
    running.hedged(100)
    running.end(ended)
    expect(told).toEqual(['first settled at 230 and 260 µ$', 'ended'])
    expect(settlements).toEqual([
      expect.objectContaining({ usage, hedgedTokens: 100, costMicroUsd: 100 + 2 * 30 + 100 }),
    ])
  })

  it('tells how long it waited for its turns, and which backends it asked, over all its tries', () => {
    const { running, settlements } = setUp()
    running.queued(120.4)
    running.tried({ attempts: 2, throttled: 2 })
    running.queued(80.2)
    running.tried({ attempts: 1, throttled: 0 })
    running.end({ ...ended, attempts: 1 })
    expect(settlements).toMatchObject([{ queuedMs: 201, attempts: 3, throttledAttempts: 2 }])
  })

  it('that never waited says so', () => {
    const { running, settlements } = setUp()
    running.end(ended)
    expect(settlements).toMatchObject([{ queuedMs: 0, attempts: 2 }])
    expect(settlements[0]?.throttledAttempts).toBeUndefined()
  })

  it('that moves to another alias gives back its first reservation, and ends by the second and its price', () => {
    const { running, told, settlements, admission } = setUp()
    running.leaves()
    expect(told).toEqual(['first settled at 0 and 0 µ$'])
    running.movesTo({
      admission: admission('second'),
      servedAs: { alias: 'other', model: 'dear' },
      costOf: () => 9_000,
    })
    running.end(ended)
    expect(told).toEqual(['first settled at 0 and 0 µ$', 'second settled at 130 and 9000 µ$', 'ended'])
    expect(settlements).toEqual([
      expect.objectContaining({ servedAs: { alias: 'other', model: 'dear' }, costMicroUsd: 9_000 }),
    ])
  })

  it('that could move nowhere has nothing left to give back', () => {
    const { running, told } = setUp()
    running.leaves()
    running.end({ ...ended, outcome: 'failed' })
    expect(told).toEqual(['first settled at 0 and 0 µ$', 'ended'])
  })

  it('holds one reservation at a time', () => {
    const { running, admission } = setUp()
    const move = { admission: admission('second'), servedAs: { alias: 'other', model: 'dear' }, costOf: () => 0 }
    expect(() => running.movesTo(move)).toThrow('a call holds one reservation at a time')
  })
})
