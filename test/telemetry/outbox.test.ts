import { createSmallHttp } from '../../src/azure/small-http'
import { createLog } from '../../src/base/log'
import { createOtlpSink } from '../../src/telemetry/otlp-sink'
import { createOutbox, HELD_MAX } from '../../src/telemetry/outbox'
import type { Span } from '../../src/telemetry/span'
import { systemClock } from '../../src/base/clock'
import { handClock } from '../harness/hand-clock'
import { startCollector, type Collector } from './collector'

const span: Span = {
  name: 'chat gpt-4.1',
  kind: 'server',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentSpanId: undefined,
  startMs: 1,
  endMs: 2,
  attributes: { 'tenantry.tenant': 'ten_1' },
  isError: false,
  ratio: 1,
}

const ended: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ended.splice(0)) await end()
})

async function outboxTo(answer: () => number | undefined, clock = systemClock) {
  const collector: Collector = await startCollector(answer)
  const http = createSmallHttp()
  const lines: string[] = []
  const drops: number[] = []
  let made = 0
  const outbox = createOutbox({
    clock,
    log: createLog((line) => void lines.push(line), clock.now),
    sinks: async () => [createOtlpSink({ http, resource: { 'service.name': 'tenantry' } }, collector.url)],
    takeMetrics: (dropped) => {
      drops.push(dropped)
      return []
    },
  })
  const put = (count: number) => {
    for (let n = 0; n < count; n++) {
      outbox.put({
        spans: () => {
          made++
          return [span]
        },
      })
    }
  }
  ended.push(async () => {
    await collector.stop()
    await outbox.close()
    await http.close()
  })
  return { outbox, collector, put, lines, drops, made: () => made }
}

describe('what waits to be sent', () => {
  it('is sent whole, some at a time, and made only then', async () => {
    const { outbox, collector, put, made } = await outboxTo(() => 200)
    put(250)
    expect(made()).toBe(0)
    await outbox.flush()
    expect(collector.spans()).toHaveLength(250)
    expect(collector.received.length).toBe(3)
  })

  it('is sent by itself, every few seconds', async () => {
    const clock = handClock()
    const { collector, put } = await outboxTo(() => 200, clock)
    put(1)
    await clock.advance(5_000)
    while (collector.received.length === 0) await systemClock.sleep(5)
    expect(collector.spans()).toHaveLength(1)
  })

  it('is bounded while a collector hangs, at no cost to who puts it there; what is dropped is counted', async () => {
    const { outbox, collector, put, drops, made } = await outboxTo(() => undefined)
    put(100)
    const flushing = outbox.flush()
    while (collector.received.length === 0) await systemClock.sleep(5)
    // One sending is under way and will be until its time is over; everything else waits, up to the bound.
    put(HELD_MAX + 500)
    expect(made()).toBe(100)
    await collector.stop()
    await flushing
    expect(drops).toEqual([100 + 500])
  })

  it('is lost where a collector refuses it, and that is said once', async () => {
    let status = 500
    const { outbox, put, lines, drops } = await outboxTo(() => status)
    for (let round = 0; round < 3; round++) {
      put(10)
      await outbox.flush()
    }
    expect(drops).toEqual([10, 10, 10])
    expect(lines.filter((line) => line.includes('telemetry could not be sent'))).toHaveLength(1)
    status = 200
    put(1)
    await outbox.flush()
    expect(drops.at(-1)).toBe(0)
  })

  it('goes out when the process ends, and nothing after that', async () => {
    const { outbox, collector, put } = await outboxTo(() => 200)
    put(3)
    await outbox.close()
    expect(collector.spans()).toHaveLength(3)
    put(1)
    await outbox.close()
    expect(collector.spans()).toHaveLength(3)
  })
})
