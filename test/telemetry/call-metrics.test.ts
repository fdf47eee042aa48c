import type { TenantId } from '../../src/base/ids'
import { createCallMetrics } from '../../src/telemetry/call-metrics'
import { Histogram } from '../../src/telemetry/metric'
import { TENANTS_NAMED_MAX } from '../../src/telemetry/tenant-cells'
import { intentOf, pointsOf, settlementOf } from './parts'

const sumOf = (points: ReturnType<typeof pointsOf>) =>
  points.reduce((sum, point) => sum + ('value' in point ? point.value : point.histogram.count), 0)

describe('metrics of calls', () => {
  it('count each call once, by tenant, alias, backend and outcome', () => {
    const metrics = createCallMetrics()
    metrics.ended(intentOf(), settlementOf(), 'azure-openai')
    metrics.ended(intentOf(), settlementOf({ latencyMs: 1_500 }), 'azure-openai')
    metrics.ended(intentOf(), settlementOf({ outcome: 'failed', status: 502, code: 'upstream_failed' }), 'azure-openai')
    const taken = metrics.take()
    expect(pointsOf(taken, 'tenantry.calls')).toEqual([
      expect.objectContaining({ value: 2, attributes: expect.objectContaining({ 'tenantry.outcome': 'completed' }) }),
      expect.objectContaining({
        value: 1,
        attributes: expect.objectContaining({ 'error.type': 'upstream_failed', 'http.response.status_code': 502 }),
      }),
    ])
    const [duration] = pointsOf(taken, 'gen_ai.client.operation.duration')
    expect(duration).toMatchObject({
      histogram: { count: 2, sum: 2, min: 0.5, max: 1.5 },
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'azure.ai.openai',
        'gen_ai.request.model': 'gpt-4.1',
        'tenantry.tenant': 'ten_1',
        'tenantry.alias': 'chat',
        'tenantry.backend': 'bke_1',
      },
    })
    const tokens = pointsOf(taken, 'gen_ai.client.token.usage')
    expect(tokens.map(({ attributes }) => attributes['gen_ai.token.type'])).toEqual([
      'input',
      'input',
      'output',
      'output',
    ])
  })

  it('begin anew when they are taken', () => {
    const metrics = createCallMetrics()
    metrics.ended(intentOf(), settlementOf(), undefined)
    metrics.refused('ten_1', { code: 'rate_limit_exceeded', status: 429 })
    metrics.attempt('bke_1', undefined)
    expect(sumOf(pointsOf(metrics.take(), 'tenantry.calls'))).toBe(1)
    expect(metrics.take().flatMap(({ points }) => [...points.values])).toEqual([])
  })

  it('name the tenants with the most calls, and no call of the others is lost', () => {
    const metrics = createCallMetrics()
    const tenants = Array.from({ length: 3_000 }, (_, n): TenantId => `ten_${n}`)
    for (const [n, tenantId] of tenants.entries()) {
      metrics.ended(intentOf({ tenantId, alias: `alias-${n}` }), settlementOf(), 'azure-openai')
      metrics.refused(tenantId, { code: 'rate_limit_exceeded', status: 429 })
    }
    const loud = tenants.slice(100, 100 + TENANTS_NAMED_MAX)
    for (const [n, tenantId] of loud.entries())
      metrics.ended(intentOf({ tenantId, alias: `alias-${100 + n}` }), settlementOf(), 'azure-openai')
    const taken = metrics.take()
    const calls = pointsOf(taken, 'tenantry.calls')
    const named = new Set(calls.map(({ attributes }) => attributes['tenantry.tenant']))
    expect(named).toEqual(new Set([...loud, 'other']))
    expect(sumOf(calls)).toBe(3_000 + TENANTS_NAMED_MAX)
    expect(sumOf(pointsOf(taken, 'tenantry.refusals'))).toBe(3_000)
    // What is one tenant's own does not appear under another name.
    expect(calls.find(({ attributes }) => attributes['tenantry.tenant'] === 'other')?.attributes).not.toHaveProperty(
      'tenantry.alias',
      expect.anything(),
    )
    expect(calls).toHaveLength(TENANTS_NAMED_MAX + 1)
  })

  it('tell refusals of nobody who is known apart from those of tenants', () => {
    const metrics = createCallMetrics()
    metrics.refused(undefined, { code: 'invalid_api_key', status: 401 })
    expect(pointsOf(metrics.take(), 'tenantry.refusals')).toEqual([
      {
        attributes: { 'tenantry.tenant': undefined, 'error.type': 'invalid_api_key', 'http.response.status_code': 401 },
        value: 1,
      },
    ])
  })
})

test('a histogram puts a bound into the bucket below it, and merges with another as if it had counted both', () => {
  const one = new Histogram([1, 2])
  for (const value of [1, 1.5, 2, 3]) one.add(value)
  expect(one.counts).toEqual([1, 2, 1])
  const both = new Histogram([1, 2])
  both.add(0.5)
  both.merge(one)
  expect(both).toMatchObject({ counts: [2, 2, 1], count: 5, sum: 8, min: 0.5, max: 3 })
})
