import type { Departure } from '../../src/base/departure'
import { Problem } from '../../src/base/problem'
import { createFairQueue } from '../../src/fairness/fair-queue'
import type { Patience } from '../../src/fairness/turn'
import type { Grant } from '../../src/inference/authorize'
import { GIVES_WAY } from '../../src/inference/call-for-tenant'
import type { UpstreamAnswer } from '../../src/inference/forward'
import { inTurn } from '../../src/inference/in-turn'
import { RunningCall } from '../../src/inference/running-call'
import { noTokens } from '../../src/metering/usage-record'
import type { Backend } from '../../src/routing/backend'
import { departureBy } from '../harness/departure'
import { handClock } from '../harness/hand-clock'

const backend: Backend = {
  id: 'bke_one',
  name: 'one',
  api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
  endpoint: 'https://one.example',
  deployment: 'gpt',
  credential: { kind: 'api-key', setting: 'AZURE_OPENAI_API_KEY' },
  region: 'swedencentral',
  capacity: 'payg',
  enabled: true,
}
const caller: Grant['caller'] = {
  tenantId: 'ten_a',
  callerId: 'key_a',
  principal: { kind: 'key', keyId: 'key_a' },
  role: undefined,
  scopes: [],
  aliases: undefined,
  limits: undefined,
}
const granted: Grant = {
  tenant: {
    tenantId: 'ten_a',
    version: 1,
    state: 'active',
    displayName: 'A',
    tier: 'standard',
    limits: { requestsPerMinute: 600, tokensPerMinute: 100_000, concurrentCalls: 10 },
    weight: 1,
    residency: [],
    aliases: {},
    settings: { hidePromptFilterChunk: false },
  },
  caller,
  alias: {
    name: 'chat',
    model: 'gpt-4.1-mini',
    capabilities: ['chat'],
    groups: [{ members: [{ backendId: 'bke_one', weight: 1 }] }],
    outputTokensMax: 100,
    outputTokensField: 'max_tokens',
  },
  outputTokens: 100,
}

const whole = (status: number): UpstreamAnswer => ({
  kind: 'whole',
  status,
  headers: {},
  body: Buffer.from('{}'),
  backend,
  attempts: 1,
})
const throttled = (retryAfterMs: number): UpstreamAnswer => ({
  kind: 'failed',
  problem: new Problem('backends_cooling_down', 'At capacity.', { retryAfterMs }),
  backend,
  attempts: 1,
})
const resting = (retryAfterMs: number) => new Problem('backends_cooling_down', 'At rest.', { retryAfterMs })

interface Given {
  readonly gone?: Departure
  readonly grant?: Grant
  readonly patience?: Patience
}

/** One call after another on one queue; each sends what the test lines up for it. */
function place() {
  const clock = handClock()
  const fairQueue = createFairQueue({ clock })
  const settled: number[] = []
  const call = (results: (UpstreamAnswer | Problem)[], { gone, grant = granted, patience }: Given = {}) => {
    const sent: (UpstreamAnswer | Problem)[] = []
    const running = new RunningCall(
      {
        clock,
        admission: {
          rates: {
            requests: { limit: 1, remaining: 1, resetMs: 0 },
            tokens: { limit: 1, remaining: 1, resetMs: 0 },
          },
          settle: ({ tokens }) => void settled.push(tokens),
        },
        entry: { durable: () => Promise.resolve(), settle: () => {} },
        costOf: () => undefined,
        onStart: () => {},
        onEnd: () => {},
      },
      { startedAt: 0, startedMonotonicMs: 0 },
    )
    const backends = new Map([[backend.id, backend]])
    const turn = { fairQueue, grant, backends, tokens: 100, running, gone, patience }
    const answer = inTurn(turn, () => {
      const result = results[sent.length] ?? whole(200)
      sent.push(result)
      return Promise.resolve(result)
    })
    const end = (promptTokens: number) =>
      running.end({
        outcome: 'completed',
        status: 200,
        usage: { ...noTokens, promptTokens },
        estimated: false,
        backend,
        attempts: 1,
      })
    return { answer, sent, end }
  }
  return { clock, fairQueue, settled, call }
}

describe('a call in its turn', () => {
  it('is sent again after a throttle, when the backends are back and not before', async () => {
    const { clock, call, settled, fairQueue } = place()
    const { answer, sent, end } = call([throttled(2_000)])
    await clock.advance(0)
    await clock.advance(1_999)
    expect(sent).toHaveLength(1)
    await clock.advance(1)
    expect(await answer).toMatchObject({ kind: 'whole', status: 200 })
    expect(sent).toHaveLength(2)
    expect(fairQueue.underWay).toBe(1)
    end(7)
    expect(settled).toEqual([7])
    expect(fairQueue.underWay).toBe(0)
  })

  it.each([200, 400, 500])('is never sent again once it has an answer of HTTP %i', async (status) => {
    const { call } = place()
    const { answer, sent } = call([whole(status)])
    expect(await answer).toMatchObject({ kind: 'whole', status })
    expect(sent).toHaveLength(1)
  })

  it('is never sent again after another failure than a throttle', async () => {
    const { call } = place()
    const failed: UpstreamAnswer = {
      ...throttled(1),
      kind: 'failed',
      problem: new Problem('upstream_failed', 'Broken.'),
    }
    const one = call([failed])
    expect(await one.answer).toBe(failed)
    expect(one.sent).toHaveLength(1)
  })

  it('that would have to wait for longer than the bound is told what the backends said', async () => {
    const { call } = place()
    const [one, two] = [throttled(30_000), resting(30_000)]
    expect(await call([one]).answer).toBe(one)
    expect(await call([two]).answer).toMatchObject({ code: 'backends_cooling_down', retryAfterMs: 30_000 })
  })

  it('that waits in vain is told so within the bound, with the wait that is left', async () => {
    const { clock, call, fairQueue } = place()
    const again = Array.from({ length: 9 }, () => resting(6_000))
    const { answer } = call(again)
    await clock.advance(0)
    await clock.advance(10_000)
    expect(await answer).toMatchObject({ code: 'backends_cooling_down', retryAfterMs: 6_000 })
    expect(fairQueue.waiting).toBe(0)
  })

  it('of the platform’s own gives way: while others wait it is not sent, nor in their line, and told when to come again', async () => {
    const { clock, call, fairQueue } = place()
    const waiting = call([throttled(2_000)])
    await clock.advance(0)
    const own = call([], { patience: GIVES_WAY })
    expect(await own.answer).toMatchObject({ entry: { retryable: true }, retryAfterMs: expect.any(Number) })
    expect(own.sent).toEqual([])
    expect(fairQueue.waiting).toBe(1)
    await clock.advance(2_000)
    expect(await waiting.answer).toMatchObject({ kind: 'whole', status: 200 })
  })

  it('leaves the line when its client has gone, and is not sent', async () => {
    const { clock, call, fairQueue } = place()
    const client = new AbortController()
    const { answer, sent, end } = call([throttled(5_000)], { gone: departureBy(client.signal) })
    await clock.advance(0)
    await clock.advance(1_000)
    client.abort()
    expect(await answer).toMatchObject({ code: 'queue_full' })
    end(0)
    await clock.advance(20_000)
    expect(sent).toHaveLength(1)
    expect(fairQueue.waiting).toBe(0)
  })

  it('that can fall back to another model does not wait for one whose backends refuse it', async () => {
    const { call } = place()
    const grant = { ...granted, alias: { ...granted.alias, fallback: 'other' } }
    const refused = throttled(100)
    const { answer, sent } = call([refused], { grant })
    expect(await answer).toBe(refused)
    expect(sent).toHaveLength(1)
  })
})
