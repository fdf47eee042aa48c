import { drawPace } from '../../../local/simulator/latency'
import { seededRandom } from '../../../local/simulator/random'
import { nowMs, TickerWheel } from '../../../local/simulator/ticker-wheel'
import { runningSimulator, user } from './running'

const FIRST_TOKEN_MS = 100
const TOKENS_PER_SECOND = 50
/** Longer than anything here takes on any machine. */
const LATE_MS = 60_000
const latency = { firstTokenMs: FIRST_TOKEN_MS, tokensPerSecond: TOKENS_PER_SECOND }
const simulator = runningSimulator({
  deployments: {
    paced: { model: 'gpt-4.1-mini-2025-04-14', latency },
    late: { model: 'gpt-4.1-mini-2025-04-14', latency: { firstTokenMs: LATE_MS } },
    pacedVectors: { model: 'text-embedding-3-small', latency },
  },
})

describe('the ticker wheel', () => {
  it('runs every task once, none before its time, in spite of turns of the wheel', async () => {
    const wheel = new TickerWheel()
    const delaysMs = [0, 1, 3, 4, 5, 17, 40, 90, 90, 120]
    const early: number[] = []
    let ran = 0
    await new Promise<void>((resolve) => {
      for (const delayMs of delaysMs) {
        const dueMs = nowMs() + delayMs
        wheel.at(dueMs, () => {
          if (nowMs() < dueMs) early.push(delayMs)
          if (++ran === delaysMs.length) resolve()
        })
      }
    })
    wheel.close()

    expect(early).toEqual([])
    expect(ran).toBe(delaysMs.length)
  })

  it('does not run a task of the next turn in this one', async () => {
    const wheel = new TickerWheel()
    let ran = false
    // One turn is 2,048 ticks of 4 ms; this task shares its slot with one that is due almost at once.
    wheel.at(nowMs() + 2_048 * 4 + 8, () => (ran = true))
    await new Promise<void>((resolve) => wheel.at(nowMs() + 60, resolve))
    wheel.close()
    expect(ran).toBe(false)
  })
})

describe('a pace', () => {
  it('has no delay without latency, and jitter only within its share', () => {
    const none = drawPace({ firstTokenMs: 0, tokensPerSecond: 0, jitter: 1 }, 100, seededRandom(1))
    expect(none).toEqual({ firstTokenMs: 0, tokenMs: 0 })
    const random = seededRandom(2)
    const draws = Array.from({ length: 500 }, () =>
      drawPace({ firstTokenMs: 100, tokensPerSecond: 100, jitter: 0.2 }, 0, random),
    )
    expect(Math.min(...draws.map(({ firstTokenMs }) => firstTokenMs))).toBeGreaterThanOrEqual(80)
    expect(Math.max(...draws.map(({ firstTokenMs }) => firstTokenMs))).toBeLessThanOrEqual(120)
    expect(new Set(draws.map(({ tokenMs }) => tokenMs)).size).toBeGreaterThan(400)
  })
})

describe('a paced deployment', () => {
  it('streams no token before its time, each as an event of its own', async () => {
    const startedMs = performance.now()
    const answer = await simulator.chat('paced', { ...user('[[tokens:12]]'), stream: true })
    const arrivals: number[] = []
    for await (const bytes of answer.body ?? []) {
      const tokens =
        Buffer.from(bytes as Uint8Array)
          .toString()
          .match(/"delta":\{"content":"[^"]/g)?.length ?? 0
      for (let count = 0; count < tokens; count++) arrivals.push(performance.now() - startedMs)
    }

    expect(arrivals).toHaveLength(12)
    for (const [index, arrivedMs] of arrivals.entries()) {
      expect(arrivedMs).toBeGreaterThanOrEqual(FIRST_TOKEN_MS + (index * 1_000) / TOKENS_PER_SECOND)
    }
  })

  it('delays a whole answer by all its tokens, an embedding by the first, and a refusal by nothing', async () => {
    const timed = async (call: Promise<Response>) => {
      const startedMs = performance.now()
      await (await call).text()
      return performance.now() - startedMs
    }
    const vectors = '/openai/deployments/pacedVectors/embeddings?api-version=2024-10-21'

    expect(await timed(simulator.chat('paced', '[[tokens:20]]'))).toBeGreaterThanOrEqual(500)
    expect(await timed(simulator.post(vectors, { input: 'a' }))).toBeGreaterThanOrEqual(FIRST_TOKEN_MS)
    expect(await timed(simulator.chat('late', { messages: [] }))).toBeLessThan(LATE_MS)
  })
})
