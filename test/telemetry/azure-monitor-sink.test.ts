import { createAzureMonitorSink } from '../../src/telemetry/azure-monitor-sink'
import { Histogram, type Metric } from '../../src/telemetry/metric'
import type { Span } from '../../src/telemetry/span'
import { startCollector, type Collector } from './collector'

const span: Span = {
  name: 'chat gpt-4.1',
  kind: 'server',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentSpanId: 'b7ad6b7169203331',
  startMs: Date.UTC(2026, 0, 1),
  endMs: Date.UTC(2026, 0, 1) + 1_234,
  attributes: {
    'http.request.method': 'POST',
    'http.response.status_code': 200,
    'tenantry.tenant': 'ten_1',
    'tenantry.alias': undefined,
  },
  isError: false,
  ratio: 0.1,
}
const attempt: Span = {
  ...span,
  name: 'upstream attempt',
  kind: 'client',
  spanId: '1111111111111111',
  parentSpanId: span.spanId,
  attributes: { 'http.request.method': 'POST', 'http.response.status_code': 429, 'peer.service': 'bke_1' },
  isError: true,
}

let collector: Collector
let status: number | undefined = 200
const sinks: ReturnType<typeof createAzureMonitorSink>[] = []

function sinkTo(credential?: Parameters<typeof createAzureMonitorSink>[0]['credential']) {
  const connectionString = `InstrumentationKey=00000000-0000-4000-8000-000000000000;IngestionEndpoint=${collector.url}/`
  const resource = { 'service.name': 'tenantry', 'service.instance.id': 'ins_1' }
  const sink = createAzureMonitorSink({ resource, credential }, connectionString)
  sinks.push(sink)
  return sink
}

interface Envelope {
  readonly sampleRate?: number
  readonly tags: Record<string, string>
  readonly data: { baseType: string; baseData: Record<string, unknown> }
}

const envelopes = () => collector.received.flatMap(({ body }) => JSON.parse(body) as Envelope[])

beforeEach(async () => {
  status = 200
  collector = await startCollector(() => status)
})
afterEach(async () => {
  await Promise.all(sinks.splice(0).map((sink) => sink.close()))
  await collector.stop()
})

test('a call is a request, an attempt a dependency of it, and both stand for the share that was kept', async () => {
  await sinkTo().spans([span, attempt])
  const found = envelopes().filter(({ data }) => data.baseType !== 'MetricData')
  expect(found).toMatchObject([
    {
      sampleRate: 10,
      tags: {
        'ai.operation.id': span.traceId,
        'ai.operation.parentId': span.parentSpanId,
        'ai.cloud.role': 'tenantry',
        'ai.cloud.roleInstance': 'ins_1',
      },
      data: {
        baseType: 'RequestData',
        baseData: {
          id: span.spanId,
          name: 'chat gpt-4.1',
          success: true,
          responseCode: '200',
          duration: '00:00:01.234',
          properties: { 'tenantry.tenant': 'ten_1' },
        },
      },
    },
    {
      data: {
        baseType: 'RemoteDependencyData',
        baseData: { name: 'upstream attempt', target: 'bke_1', resultCode: '429', success: false },
      },
    },
  ])
})

test('metrics arrive with their counts and attributes', async () => {
  const histogram = new Histogram([1])
  histogram.add(0.5)
  histogram.add(2)
  const metrics: Metric[] = [
    {
      name: 'gen_ai.client.operation.duration',
      unit: 's',
      description: '',
      points: { kind: 'histogram', values: [{ attributes: { 'tenantry.tenant': 'ten_1' }, histogram }] },
    },
    {
      name: 'tenantry.calls',
      unit: '{call}',
      description: '',
      points: { kind: 'sum', values: [{ attributes: {}, value: 2 }] },
    },
  ]
  await sinkTo().metrics(metrics, { startMs: 0, endMs: 60_000 })
  expect(envelopes().map(({ data }) => data.baseData)).toMatchObject([
    {
      metrics: [{ name: 'gen_ai.client.operation.duration', value: 2.5, count: 2, min: 0.5, max: 2 }],
      properties: { 'tenantry.tenant': 'ten_1' },
    },
    { metrics: [{ name: 'tenantry.calls', value: 2 }] },
  ])
})

test('what Application Insights does not take is lost, not kept and not called sent', async () => {
  for (const refused of [400, 429, 500, 503]) {
    status = refused
    await expect(sinkTo().spans([span])).rejects.toThrow()
  }
  // One try each.
  expect(collector.received).toHaveLength(4)
  status = 200
  await expect(sinkTo().spans([span])).resolves.toBeUndefined()
})
