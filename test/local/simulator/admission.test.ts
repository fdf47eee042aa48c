import fc from 'fast-check'
import { StandardAdmission, type Ask, type StandardLimits } from '../../../local/simulator/admission'
import { ProvisionedAdmission } from '../../../local/simulator/provisioned'
import { runningSimulator, user } from './running'

const simulator = runningSimulator({
  deployments: {
    metered: { model: 'gpt-4.1-mini-2025-04-14', admission: { kind: 'standard', tokensPerMinute: 6_000 } },
    shy: {
      model: 'gpt-4.1-mini-2025-04-14',
      admission: { kind: 'standard', tokensPerMinute: 100, refusals: 'no-retry-after' },
    },
    negative: {
      model: 'gpt-4.1-mini-2025-04-14',
      admission: { kind: 'standard', tokensPerMinute: 100, refusals: 'negative-limits' },
    },
    busy: {
      model: 'gpt-4.1-mini-2025-04-14',
      admission: { kind: 'standard', tokensPerMinute: 100, refusals: 'high-demand' },
    },
    reserved: { model: 'gpt-4.1-2025-04-14', admission: { kind: 'provisioned', units: 15 } },
  },
})

const ask: Ask = {
  deployment: 'd',
  model: 'gpt-4.1',
  operation: 'ChatCompletions_Create',
  apiVersion: '2024-10-21',
  region: 'East US 2',
  promptTokens: 50,
  cachedTokens: 0,
  outputTokensMax: 50,
}

function standard(limits: Partial<StandardLimits>) {
  let now = 0
  const admission = new StandardAdmission(
    { tokensPerMinute: 1_000, requestsPerMinute: 6_000, refusals: 'standard', ...limits },
    () => now,
  )
  return {
    at: (ms: number) => (now = ms),
    admit: (more: Partial<Ask> = {}) => admission.admit({ ...ask, ...more }),
  }
}
const headerOf = (headers: readonly string[] | undefined, name: string) => headers?.[headers.indexOf(name) + 1]

describe('a tokens-per-minute limit', () => {
  it('admits up to the limit, refuses beyond it, and starts anew a minute after its first call', () => {
    const { at, admit } = standard({})
    for (let call = 0; call < 10; call++) expect(admit().kind).toBe('admitted')
    at(20_000)
    const refused = admit()
    expect(refused.kind === 'refused' && headerOf(refused.refusal.headers, 'retry-after-ms')).toBe('40000')
    at(59_999)
    expect(admit().kind).toBe('refused')
    at(60_000)
    expect(admit().kind).toBe('admitted')
  })

  it('never admits more than the limit in one of its windows, whatever the calls', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(900), fc.nat(20_000)), { maxLength: 80 }), (calls) => {
        const { at, admit } = standard({})
        let now = 0
        let windowEnds = 0
        let used = 0
        for (const [tokens, pauseMs] of calls) {
          now += pauseMs
          at(now)
          if (now >= windowEnds) {
            windowEnds = now + 60_000
            used = 0
          }
          if (admit({ promptTokens: tokens, outputTokensMax: 0 }).kind === 'admitted') used += tokens
          expect(used).toBeLessThanOrEqual(1_000)
        }
      }),
    )
  })

  it('tells a call that no minute can hold to come back in a day', () => {
    const refused = standard({}).admit({ promptTokens: 1_001 })
    expect(refused.kind === 'refused' && headerOf(refused.refusal.headers, 'retry-after')).toBe('86400')
  })
})

describe('a requests limit', () => {
  it('counts over ten seconds, and counts refused calls too', () => {
    const { at, admit } = standard({ requestsPerMinute: 12, tokensPerMinute: 1_000_000 })
    expect([admit().kind, admit().kind, admit().kind]).toEqual(['admitted', 'admitted', 'refused'])
    at(9_999)
    expect(admit().kind).toBe('refused')
    at(10_000)
    expect(admit().kind).toBe('admitted')
  })
})

describe('provisioned throughput', () => {
  const units = { units: 1, inputTokensPerMinutePerUnit: 6_000, outputRatio: 4 }

  it('lets a burst go slightly over, then says the true wait: after it the next call passes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 0, max: 2_000 }), (promptTokens, output) => {
        let now = 0
        const bucket = new ProvisionedAdmission(units, () => now)
        const call = () => bucket.admit({ ...ask, promptTokens, outputTokensMax: output })
        let answer = call()
        for (let tries = 0; answer.kind === 'admitted' && tries < 10_000; tries++) answer = call()
        if (answer.kind !== 'refused') throw new Error('the bucket never filled')
        const waitMs = Number(headerOf(answer.refusal.headers, 'retry-after-ms'))
        now += waitMs
        expect(call().kind).toBe('admitted')
      }),
      { numRuns: 30 },
    )
  })

  it('gives back what a call did not use, and cached tokens weigh nothing', () => {
    const bucket = new ProvisionedAdmission(units, () => 0)
    const first = bucket.admit({ ...ask, promptTokens: 1_000, outputTokensMax: 1_000 })
    if (first.kind !== 'admitted') throw new Error('refused')
    expect(headerOf(first.headers, 'azure-openai-deployment-utilization')).toBe('83.3%')
    first.settle({ promptTokens: 1_000, cachedTokens: 0, outputTokens: 50 })
    const second = bucket.admit({ ...ask, promptTokens: 1_200, cachedTokens: 1_200, outputTokensMax: 0 })
    expect(second.kind === 'admitted' && headerOf(second.headers, 'azure-openai-deployment-utilization')).toBe('20.0%')
  })
})

describe('limits on the wire', () => {
  it('stand in the headers of an answer', async () => {
    const { headers } = await simulator.chat('metered', { ...user('hi'), max_tokens: 100 })
    expect(headers.get('x-ratelimit-limit-tokens')).toBe('6000')
    expect(headers.get('x-ratelimit-remaining-tokens')).toBe(String(6_000 - 100 - 8))
    expect(headers.get('x-ratelimit-limit-requests')).toBe('1')
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('0')
  })

  it("refuse with the service's words and headers", async () => {
    await simulator.chat('metered', 'hi')
    const refused = await simulator.chat('metered', 'hi')
    const { error } = (await refused.json()) as { error: { code: string; message: string } }
    expect(refused.status).toBe(429)
    expect(error.code).toBe('429')
    expect(error.message).toMatch(
      /^Your requests to metered for gpt-4\.1-mini in East US 2 have exceeded the call rate limit for your current AIServices S0 pricing tier\. This request was for ChatCompletions_Create under Azure OpenAI API version 2024-10-21\. Please retry after \d+ seconds\./,
    )
    expect(Number(refused.headers.get('retry-after'))).toBe(
      Math.ceil(Number(refused.headers.get('retry-after-ms')) / 1_000),
    )
  })

  it('can leave out the wait, say -1 for the limits, or blame demand', async () => {
    const tooMuch = { ...user('hi'), max_tokens: 500 }
    const shy = await simulator.chat('shy', tooMuch)
    const negative = await simulator.chat('negative', tooMuch)
    const busy = await simulator.chat('busy', tooMuch)

    expect([shy.status, negative.status, busy.status]).toEqual([429, 429, 429])
    expect(shy.headers.get('retry-after')).toBeNull()
    expect(shy.headers.get('x-ratelimit-reset-tokens')).toBe('86400')
    expect(negative.headers.get('x-ratelimit-limit-tokens')).toBe('-1')
    expect(await busy.text()).toContain('currently experiencing high demand')
  })

  it('show the utilization of provisioned throughput, and refuse prompts beyond its 128,000 tokens', async () => {
    const answer = await simulator.chat('reserved', 'hi')
    expect(answer.headers.get('azure-openai-deployment-utilization')).toMatch(/^\d+\.\d%$/)
    const long = await simulator.chat('reserved', 'word '.repeat(128_100))
    expect(long.status).toBe(400)
    expect(await long.text()).toContain('context_length_exceeded')
  })
})
