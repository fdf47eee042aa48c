import fc from 'fast-check'
import type { Backend } from '../../src/routing/backend'
import { createBackendHealth } from '../../src/routing/health'
import { createBackendLoad } from '../../src/routing/load'
import { planRoute } from '../../src/routing/plan-route'
import { ATTEMPTS_MAX } from '../../src/inference/forward'
import { handClock } from '../harness/hand-clock'
import { forwarding, textOf } from '../inference/forwarding'
import {
  breakOff,
  events,
  json,
  promptFilter,
  scriptedBackend,
  token,
  type Script,
  type ScriptedBackend,
} from '../inference/scripted-backend'

/** What a backend can do to a stream. `begins`: a byte of it belongs to the client, so that nobody else may be asked. */
const behaviours = {
  answers: { begins: true, script: (name: string) => events(promptFilter, token(name), '[DONE]') },
  'answers, then tells an error': {
    begins: true,
    script: (name: string) => events(token(name), { error: { code: 'server_error' } }),
  },
  'answers, then breaks off': {
    begins: true,
    script:
      (name: string): Script =>
      (response, request) => {
        events(promptFilter, token(name))
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write(`data: ${JSON.stringify(token(name))}\n\n`, () => breakOff(response, request))
      },
  },
  'refuses what the caller wrote': { begins: true, script: (name: string) => json(400, { error: { code: name } }) },
  fails: { begins: false, script: () => json(500, {}) },
  throttles: { begins: false, script: () => json(429, {}, { 'retry-after-ms': '400' }) },
  'opens with an error': { begins: false, script: () => events(promptFilter, { error: { code: 'server_error' } }) },
  'opens with a throttle': { begins: false, script: () => events({ error: { code: '429', message: 'slow' } }) },
  'breaks off': { begins: false, script: () => breakOff },
  'ends without an event': { begins: false, script: () => events() },
} as const
type Behaviour = keyof typeof behaviours

describe('a stream over backends that do anything', () => {
  it('comes from one backend alone, in the order of the plan, by a bounded number of attempts, and is never replayed', () => {
    const behaviour = fc.constantFrom(...(Object.keys(behaviours) as Behaviour[]))
    return fc.assert(
      fc.asyncProperty(fc.array(behaviour, { minLength: 1, maxLength: 6 }), async (list) => {
        const parts = forwarding()
        const servers: ScriptedBackend[] = []
        for (const [i, what] of list.entries())
          servers.push(await scriptedBackend(`backend-${i}`, behaviours[what].script(`backend-${i}`)))
        try {
          const answer = await parts.send(
            servers.map(({ backend }) => backend),
            { stream: true },
          )
          const begins = list.findIndex((what) => behaviours[what].begins)
          const isServed = begins >= 0 && begins < ATTEMPTS_MAX
          // Up to the one that begins each was asked once, and behind it nobody; a lone broken connection is tried again.
          const asked = isServed ? begins + 1 : Math.min(list.length, ATTEMPTS_MAX)
          const isRetried = list.length === 1 && /^(?:breaks off|ends without)/.test(String(list[0]))
          expect(servers.map(({ calls }) => calls.length)).toEqual(
            list.map((_, i) => (i >= asked ? 0 : isRetried ? 2 : 1)),
          )
          if (!isServed) return expect(answer.kind).toBe('failed')
          expect(answer.kind === 'failed' ? undefined : answer.backend.id).toBe(`bke_backend-${begins}`)
          const text = await textOf(answer).catch(() => `backend-${begins}`)
          const named = new Set([...text.matchAll(/backend-\d/g)].map(([name]) => name))
          expect([...named]).toEqual([`backend-${begins}`])
        } finally {
          await Promise.all(servers.map((server) => server.close()))
          await parts.close()
        }
      }),
      { numRuns: 60 },
    )
  })
})

const backend = (name: string, more: Partial<Backend>): Backend => ({
  id: `bke_${name}`,
  name,
  api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
  endpoint: 'http://localhost',
  deployment: name,
  credential: { kind: 'none' },
  region: 'swedencentral',
  capacity: 'payg',
  enabled: true,
  ...more,
})

/** Azure's rule for provisioned throughput, in input tokens: refused at or above a minute's capacity. */
class Provisioned {
  refused = 0
  served = 0
  #level = 0
  #atMs = 0
  constructor(readonly tokensPerMinute: number) {}

  ask(nowMs: number, tokens: number): ((used: number) => void) | undefined {
    this.#drain(nowMs)
    if (this.#level >= this.tokensPerMinute) {
      this.refused += 1
      return undefined
    }
    this.#level += tokens
    return (used) => {
      this.served += used
      this.#level = Math.max(0, this.#level + used - tokens)
    }
  }

  utilization(nowMs: number): number {
    this.#drain(nowMs)
    return this.#level / this.tokensPerMinute
  }

  #drain(nowMs: number): void {
    this.#level = Math.max(0, this.#level - ((nowMs - this.#atMs) / 60_000) * this.tokensPerMinute)
    this.#atMs = nowMs
  }
}

/** Calls at twice what provisioned throughput can take, planned by our own knowledge of it, spread over `instances` of the app. */
async function overload({ instances, isSized }: { instances: number; isSized: boolean }) {
  const clock = handClock()
  const ptu = backend('ptu', {
    capacity: 'ptu',
    ...(isSized ? { throughput: { kind: 'tokens-per-minute', tokensPerMinute: 600_000, outputWeight: 4 } } : {}),
  })
  const payg = backend('payg', {})
  const azure = new Provisioned(600_000)
  const apps = Array.from({ length: instances }, () => ({
    health: createBackendHealth(clock),
    load: createBackendLoad(clock),
  }))
  const [prompt, output, used] = [600, 100, 40]
  let calls = 0
  let spilled = 0
  for (; clock.monotonicMs() < 300_000; await clock.advance(50)) {
    const app = apps[calls++ % instances]
    if (!app) throw new Error('there is an instance')
    const plan = planRoute({
      tenantId: 'ten_a',
      groups: [{ members: [ptu, payg].map(({ id }) => ({ backendId: id, weight: 1 })) }],
      residency: [],
      backendOf: (id) => (id === ptu.id ? ptu : payg),
      healthOf: (id) => app.health.view(id, 'ten_a'),
      isSaturated: app.load.isSaturated,
      fraction: () => 0.5,
    })
    const first = plan.kind === 'candidates' ? plan.candidates[0] : undefined
    if (first !== ptu) {
      spilled += 1
      continue
    }
    const attempt = app.health.begin(ptu.id, 'ten_a')
    if (attempt.kind === 'resting') continue
    const hold = app.load.reserve(ptu, { promptTokens: prompt, outputTokens: output })
    const settle = azure.ask(clock.monotonicMs(), prompt + output * 4)
    if (!settle) {
      hold.settle(undefined)
      // As Azure does: until it is below 100 %.
      const waitMs = (azure.utilization(clock.monotonicMs()) - 1) * 60_000 + 1
      app.load.refused(ptu, waitMs)
      attempt.throttled(waitMs)
      continue
    }
    app.load.reported(ptu, azure.utilization(clock.monotonicMs()))
    attempt.succeeded()
    // An answer takes about three seconds; then the estimate is corrected, there and here.
    clock.after(3_000, () => {
      settle(prompt + used * 4)
      hold.settle({ promptTokens: prompt, cachedTokens: 0, outputTokens: used })
    })
  }
  return { azure, calls, spilled }
}

describe('provisioned throughput under twice its load', () => {
  it('of a known capacity never has to refuse a call of a lone instance, and is used all the same', async () => {
    const { azure, spilled } = await overload({ instances: 1, isSized: true })
    expect(azure.refused).toBe(0)
    expect(spilled).toBeGreaterThan(0)
    expect(azure.served / (5 * 600_000)).toBeGreaterThan(0.95)
  })

  it.each([[2], [4]])(
    'seldom has to refuse calls of %i instances, which learn of each other by its answers',
    async (instances) => {
      const { azure, calls } = await overload({ instances, isSized: true })
      expect(azure.refused / calls).toBeLessThan(0.05)
      expect(azure.served / (5 * 600_000)).toBeGreaterThan(0.95)
    },
  )

  it('seldom has to refuse a call where only its answers tell how full it is', async () => {
    const { azure, calls } = await overload({ instances: 1, isSized: false })
    expect(azure.refused / calls).toBeLessThan(0.05)
    expect(azure.served / (5 * 600_000)).toBeGreaterThan(0.95)
  })
})
