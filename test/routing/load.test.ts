import fc from 'fast-check'
import type { Backend } from '../../src/routing/backend'
import { createBackendLoad, RESUME_AT } from '../../src/routing/load'
import { handClock } from '../harness/hand-clock'

const backend: Backend = {
  id: 'bke_ptu',
  name: 'ptu',
  api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
  endpoint: 'http://localhost',
  deployment: 'ptu',
  credential: { kind: 'none' },
  region: 'swedencentral',
  capacity: 'ptu',
  enabled: true,
}
const sized: Backend = {
  ...backend,
  throughput: { kind: 'tokens-per-minute', tokensPerMinute: 60_000, outputWeight: 4 },
}

function setUp() {
  const clock = handClock()
  return { clock, load: createBackendLoad(clock) }
}

describe('provisioned throughput of a known capacity', () => {
  it('is full from reserved tokens alone, before it has refused anything', () => {
    const { load } = setUp()
    load.reserve(sized, { promptTokens: 20_000, outputTokens: 9_000 })
    expect(load.isSaturated(sized)).toBe(false)
    load.reserve(sized, { promptTokens: 4_000, outputTokens: 0 })
    expect(load.isSaturated(sized)).toBe(true)
  })

  it('drains a minute’s capacity a minute', async () => {
    const { clock, load } = setUp()
    load.reserve(sized, { promptTokens: 90_000, outputTokens: 0 })
    await clock.advance(30_000 + (1 - RESUME_AT) * 60_000 - 10)
    expect(load.isSaturated(sized)).toBe(true)
    await clock.advance(20)
    expect(load.isSaturated(sized)).toBe(false)
  })

  it('is corrected when the call has ended: what was cached weighs nothing, what was not generated is given back', () => {
    const { load } = setUp()
    const hold = load.reserve(sized, { promptTokens: 30_000, outputTokens: 10_000 })
    expect(load.isSaturated(sized)).toBe(true)
    hold.settle({ promptTokens: 30_000, cachedTokens: 20_000, outputTokens: 2_000 })
    load.reserve(sized, { promptTokens: 41_000, outputTokens: 0 })
    expect(load.isSaturated(sized)).toBe(false)
    load.reserve(sized, { promptTokens: 1_001, outputTokens: 0 })
    expect(load.isSaturated(sized)).toBe(true)
  })

  it('counts a call that was not let in as nothing, and settles each once', () => {
    const { load } = setUp()
    load.reserve(sized, { promptTokens: 50_000, outputTokens: 0 })
    const refused = load.reserve(sized, { promptTokens: 30_000, outputTokens: 0 })
    refused.settle(undefined)
    refused.settle(undefined)
    expect(load.isSaturated(sized)).toBe(false)
    load.reserve(sized, { promptTokens: 10_000, outputTokens: 0 })
    expect(load.isSaturated(sized)).toBe(true)
  })

  it('follows the units and the model that the operator names', () => {
    const { load } = setUp()
    const units: Backend = { ...backend, throughput: { kind: 'units', units: 15, model: 'gpt-4.1' } }
    load.reserve(units, { promptTokens: 44_999, outputTokens: 0 })
    expect(load.isSaturated(units)).toBe(false)
    load.reserve(units, { promptTokens: 1, outputTokens: 0 })
    expect(load.isSaturated(units)).toBe(true)
  })

  it('lets no call go, over any calls, that Azure’s own bucket would refuse, and keeps none away from one that has drained', () => {
    const call = fc.record({
      waitMs: fc.nat(20_000),
      promptTokens: fc.integer({ min: 1, max: 40_000 }),
      outputTokens: fc.nat(4_000),
      used: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    return fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 40 }), async (calls) => {
        const { clock, load } = setUp()
        // Azure's rule written down a second time, in tokens: refused at or above the capacity, corrected at the end.
        let tokens = 0
        for (const { waitMs, promptTokens, outputTokens, used } of calls) {
          await clock.advance(waitMs)
          tokens = Math.max(0, tokens - waitMs)
          const isSaturated = load.isSaturated(sized)
          if (tokens > 60_000.001) expect(isSaturated).toBe(true)
          if (tokens < RESUME_AT * 60_000 - 0.001) expect(isSaturated).toBe(false)
          if (isSaturated) continue
          const generated = Math.floor(outputTokens * used)
          const hold = load.reserve(sized, { promptTokens, outputTokens })
          hold.settle({ promptTokens, cachedTokens: 0, outputTokens: generated })
          tokens += promptTokens + generated * 4
        }
      }),
    )
  })
})

describe('the utilisation that answers report', () => {
  it('makes it full, for as long as that utilisation takes to drain', async () => {
    const { clock, load } = setUp()
    load.reported(backend, 1.02)
    expect(load.isSaturated(backend)).toBe(true)
    await clock.advance(1_200)
    expect(load.isSaturated(backend)).toBe(true)
    await clock.advance((1 - RESUME_AT) * 60_000 + 1)
    expect(load.isSaturated(backend)).toBe(false)
  })

  it('is known from a refusal too, whose wait says by how much it is above full', async () => {
    const { clock, load } = setUp()
    load.refused(backend, 600)
    await clock.advance(600)
    expect(load.isSaturated(backend)).toBe(true)
    await clock.advance((1 - RESUME_AT) * 60_000 + 1)
    expect(load.isSaturated(backend)).toBe(false)
  })

  it('brings in the calls of other instances where the capacity is known', () => {
    const { load } = setUp()
    load.reported(sized, 0.9)
    load.reserve(sized, { promptTokens: 7_000, outputTokens: 0 })
    expect(load.isSaturated(sized)).toBe(true)
  })

  it('does not take away what went out since it was written', () => {
    const { load } = setUp()
    load.reserve(sized, { promptTokens: 61_000, outputTokens: 0 })
    load.reported(sized, 0.2)
    expect(load.isSaturated(sized)).toBe(true)
  })

  it('says nothing of pay-as-you-go, nor where it is no utilisation at all', () => {
    const { load } = setUp()
    const payg: Backend = { ...backend, capacity: 'payg' }
    load.reported(payg, 1.5)
    load.reported(backend, 5_000)
    expect([load.isSaturated(payg), load.isSaturated(backend)]).toEqual([false, false])
  })
})
