import type { BackendId } from '../../src/base/ids'
import type { Backend } from '../../src/routing/backend'
import { createCallMetrics } from '../../src/telemetry/call-metrics'
import { callSpans } from '../../src/telemetry/call-spans'
import { createCallTraces, type TracedCall } from '../../src/telemetry/call-trace'
import { createSampling } from '../../src/telemetry/sampling'
import { newSpanId } from '../../src/telemetry/trace-parent'
import { handClock } from '../harness/hand-clock'
import { chance, intentOf, settlementOf } from './parts'

const CLIENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-'
const backend = { api: { kind: 'azure-openai' } } as Backend
const answered = { kind: 'stream' } as Parameters<ReturnType<ReturnType<typeof begin>['trace']['attempt']>['ended']>[0]

function begin(ratio: number, traceParent?: string, traceState: string | null = null) {
  const clock = handClock()
  const kept: { call: TracedCall; ratio: number }[] = []
  const traces = createCallTraces({
    clock,
    chance,
    sampling: createSampling(clock, ratio),
    metrics: createCallMetrics(),
    keep: (call, share) => void kept.push({ call, ratio: share }),
  })
  const next = () => traces.begin({ callId: 'call_1', method: 'POST', traceParent, traceState })
  const spans = () => kept.flatMap(({ call, ratio }) => callSpans(call, ratio, () => newSpanId(chance)))
  return { clock, kept, next, trace: next(), spans }
}

describe('the trace of a call', () => {
  it('has its wait, each attempt, the relay and the wait for the usage log, each at its time', async () => {
    const { clock, trace, spans } = begin(1)
    trace.isOf({ tenantId: 'ten_1', keyId: 'key_1', operation: 'chat.completions' })
    trace.began(intentOf())
    await clock.advance(30)
    trace.queued(30)
    const first = trace.attempt('bke_1')
    await clock.advance(20)
    first.ended({ kind: 'throttled', waitMs: 1_000 })
    const second = trace.attempt('bke_2')
    await clock.advance(50)
    second.ended(answered)
    await clock.advance(400)
    trace.ended(
      settlementOf({ backendId: 'bke_2', latencyMs: 500, firstByteMs: 100, queuedMs: 30, attempts: 2 }),
      backend,
    )
    let written = () => {}
    const durable = trace.durable(new Promise((resolve) => (written = resolve)))
    await clock.advance(3)
    written()
    await durable
    await Promise.resolve()

    const [own, ...parts] = spans()
    expect(own).toMatchObject({
      name: 'chat gpt-4.1',
      kind: 'server',
      parentSpanId: undefined,
      isError: false,
      ratio: 1,
    })
    const begunMs = own?.startMs ?? 0
    const times = parts.map(({ name, startMs, endMs }) => [name, startMs - begunMs, endMs - begunMs])
    expect(times).toEqual([
      ['queue', 0, 30],
      ['upstream attempt', 30, 50],
      ['upstream attempt', 50, 100],
      ['metering durable', 500, 503],
      ['relay', 100, 500],
    ])
    expect(parts.every(({ traceId, parentSpanId }) => traceId === own?.traceId && parentSpanId === own?.spanId)).toBe(
      true,
    )
    expect(parts[1]).toMatchObject({
      kind: 'client',
      isError: true,
      attributes: { 'tenantry.backend': 'bke_1', 'http.response.status_code': 429, 'error.type': 'throttled' },
    })
    expect(second.traceParent).toBe(`00-${own?.traceId}-${parts[2]?.spanId}-01`)
    expect(own?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'azure.ai.openai',
      'gen_ai.request.model': 'gpt-4.1',
      'gen_ai.response.model': 'gpt-4.1',
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 20,
      'tenantry.tenant': 'ten_1',
      'tenantry.key': 'key_1',
      'tenantry.alias': 'chat',
      'tenantry.backend': 'bke_2',
      'tenantry.queued_ms': 30,
    })
  })

  it('goes on where its client’s does, and says upstream what its client decided', () => {
    const { trace, kept } = begin(0, `${CLIENT}01`)
    expect(trace.traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736')
    expect(trace.attempt('bke_1').traceParent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/)
    trace.answered(200)
    expect(kept).toMatchObject([{ call: { parentSpanId: '00f067aa0ba902b7' }, ratio: 1 }])
    const unsampled = begin(1, `${CLIENT}00`)
    expect(unsampled.trace.attempt('bke_1').traceParent).toMatch(/-00$/)
    unsampled.trace.answered(200)
    expect(unsampled.kept).toEqual([])
  })

  it('passes on what other systems say of the client’s trace, and nothing of a trace that is not the client’s', () => {
    const stateOf = (traceParent: string | undefined, traceState: string | null) =>
      begin(1, traceParent, traceState).trace.attempt('bke_1').traceState
    expect(stateOf(`${CLIENT}01`, 'vendor=1')).toBe('vendor=1')
    expect(stateOf(`${CLIENT}01`, null)).toBeUndefined()
    expect(stateOf('nonsense', 'vendor=1')).toBeUndefined()
    expect(stateOf(undefined, 'vendor=1')).toBeUndefined()
  })

  it('of what went well is not kept beyond the share, of what failed it is', () => {
    const { next, kept } = begin(0)
    for (const end of [settlementOf(), settlementOf({ outcome: 'failed', status: 502 })]) {
      const trace = next()
      trace.began(intentOf())
      trace.ended(end, backend)
    }
    next().answered(429, 'rate_limit_exceeded')
    expect(kept.map(({ call }) => call.settlement?.status ?? call.answer?.status)).toEqual([502, 429])
  })

  it('is not kept for every one of a flood of failures, refusals or wishes', async () => {
    for (const [parent, end] of [
      [undefined, 503],
      [undefined, 401],
      [`${CLIENT}01`, 200],
    ] as const) {
      const { clock, next, kept } = begin(0, parent)
      for (let n = 0; n < 10_000; n++) next().answered(end, end === 200 ? undefined : 'some_code')
      expect(kept.length).toBeLessThanOrEqual(100)
      const before = kept.length
      await clock.advance(1_000)
      for (let n = 0; n < 10_000; n++) next().answered(end, end === 200 ? undefined : 'some_code')
      expect(kept.length - before).toBeGreaterThan(0)
      expect(kept.length - before).toBeLessThanOrEqual(10)
    }
  })

  it('holds a bounded number of marks, whatever happens to the call', () => {
    const { trace, kept } = begin(1)
    trace.began(intentOf())
    for (let n = 0; n < 1_000; n++) trace.attempt(`bke_${n}` as BackendId).ended({ kind: 'throttled', waitMs: 1 })
    trace.ended(settlementOf(), backend)
    expect(kept[0]?.call.marks).toHaveLength(64)
  })

  it('says nothing of a backend that was passed over', () => {
    const { trace, kept } = begin(1)
    trace.attempt('bke_1').ended({ kind: 'resting', waitMs: 10 })
    trace.answered(503, 'backends_cooling_down')
    expect(kept[0]?.call.marks).toEqual([])
  })

  it('repeats nothing of what a backend said', () => {
    const { trace, spans } = begin(1)
    trace.attempt('bke_1').ended({ kind: 'failed', why: 'status', detail: 'HTTP 500: my secret prompt' })
    trace.answered(502, 'upstream_failed')
    expect(JSON.stringify(spans())).not.toContain('secret')
    expect(spans()[1]).toMatchObject({ attributes: { 'error.type': 'status' } })
  })
})
