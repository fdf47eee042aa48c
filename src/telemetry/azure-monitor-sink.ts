import type { TokenCredential } from '@azure/core-auth'
import {
  AzureMonitorMetricExporter,
  AzureMonitorTraceExporter,
  type AzureMonitorExporterOptions,
} from '@azure/monitor-opentelemetry-exporter'
import { SpanKind, SpanStatusCode, TraceFlags, ValueType, type HrTime } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { assertNever } from '../base/assert'
import type { Metric } from './metric'
import { general, ours } from './names'
import { SEND_TIMEOUT_MS, type Interval, type Resource, type Sink } from './sink'
import type { Attributes, Span } from './span'

/**
 * Application Insights, by Microsoft's exporter: a bundle apart (`scripts/lean-start.js`), loaded with the first sending, since its packages
 * take as long to load as the rest of the app.
 */
export function createAzureMonitorSink(
  { resource, credential }: { resource: Resource; credential: TokenCredential | undefined },
  connectionString: string,
): Sink {
  // Its own statistics for its makers; there is no other switch.
  process.env['APPLICATION_INSIGHTS_NO_STATSBEAT'] ??= 'true'
  const watch = watchSending()
  const [, plain] = PLAIN_ENDPOINT.exec(connectionString) ?? []
  const options: AzureMonitorExporterOptions = {
    connectionString,
    ...(credential ? { credential } : {}),
    disableOfflineStorage: true,
    retryOptions: { maxRetries: 0 },
    ...(plain === undefined ? {} : { host: plain, allowInsecureConnection: true }),
    additionalPolicies: [{ position: 'perRetry', policy: watch.policy }],
  }
  const traces = new AzureMonitorTraceExporter(options)
  const measures = new AzureMonitorMetricExporter(options)
  const scope = { name: 'tenantry' }
  const from = resourceFromAttributes(resource)
  return {
    spans: (spans) =>
      watch.sending((done) =>
        traces.export(
          spans.map((span) => readableSpan(span, from, scope)),
          done,
        ),
      ),
    metrics: (metrics, interval) =>
      watch.sending((done) =>
        measures.export(
          { resource: from, scopeMetrics: [{ scope, metrics: metrics.map((metric) => metricData(metric, interval)) }] },
          done,
        ),
      ),
    close: async () => {
      await Promise.all([traces.shutdown(), measures.shutdown()])
    },
  }
}

/**
 * The exporter calls what it could not send a success where nothing is stored on disk, and waits for an answer as long as it takes: so its
 * sending is looked at, and bounded, from below. One sending at a time.
 */
function watchSending() {
  let lost: string | undefined
  const policy: PipelinePolicy = {
    name: 'tenantry-watch',
    sendRequest: async (request, next) => {
      request.timeout = SEND_TIMEOUT_MS
      lost = 'no answer'
      const response = await next(request)
      lost = response.status >= 300 ? `HTTP ${response.status}` : undefined
      return response
    },
  }
  const sending = (start: (done: (result: Result) => void) => Promise<void>) =>
    new Promise<void>((resolve, reject) => {
      lost = undefined
      start(({ code, error }) => {
        if (code === SUCCESS && lost === undefined) resolve()
        else reject(error ?? new Error(`Application Insights: ${lost ?? 'not sent'}`))
      }).catch(reject)
    })
  return { policy, sending }
}

type Result = Parameters<Parameters<AzureMonitorTraceExporter['export']>[1]>[0]
const SUCCESS: Result['code'] = 0

type PipelinePolicy = NonNullable<AzureMonitorExporterOptions['additionalPolicies']>[number]['policy']

/** On this machine; the settings allow no other. The exporter by itself would take any address for one of https. */
const PLAIN_ENDPOINT = /IngestionEndpoint=(http:[^;]+)/i

type Scope = ReadableSpan['instrumentationScope']

const SPAN_KINDS = {
  server: SpanKind.SERVER,
  consumer: SpanKind.CONSUMER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const

function readableSpan(span: Span, resource: ReadableSpan['resource'], instrumentationScope: Scope): ReadableSpan {
  const { name, kind, traceId, parentSpanId, startMs, endMs, isError, ratio } = span
  const contextOf = (spanId: string) => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED })
  return {
    name,
    kind: SPAN_KINDS[kind],
    spanContext: () => contextOf(span.spanId),
    ...(parentSpanId === undefined ? {} : { parentSpanContext: contextOf(parentSpanId) }),
    startTime: hrTimeOf(startMs),
    endTime: hrTimeOf(endMs),
    duration: hrTimeOf(endMs - startMs),
    ended: true,
    status: { code: isError ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: {
      ...defined({ ...span.attributes, [ours.error]: span.attributes[general.error] }),
      // Where it multiplies what it counts.
      'microsoft.sample_rate': ratio * 100,
      // Requests are named by it; without it only those of the kind `server` would have a name.
      ...(kind === 'consumer' ? { 'ai.operation.name': name } : {}),
    },
    links: [],
    events: [],
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function metricData({ name, unit, description, points }: Metric, { startMs, endMs }: Interval): MetricData {
  const about = {
    descriptor: { name, unit, description, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.DELTA,
  }
  const point = <T>(attributes: Attributes, value: T) => ({
    startTime: hrTimeOf(startMs),
    endTime: hrTimeOf(endMs),
    attributes: defined(attributes),
    value,
  })
  switch (points.kind) {
    case 'sum': {
      const dataPoints = points.values.map(({ attributes, value }) => point(attributes, value))
      return { ...about, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
    }
    case 'gauge': {
      const dataPoints = points.values.map(({ attributes, value }) => point(attributes, value))
      return { ...about, dataPointType: DataPointType.GAUGE, dataPoints }
    }
    case 'histogram': {
      const dataPoints = points.values.map(({ attributes, histogram }) => {
        const { bounds, counts, count, sum, min, max } = histogram
        return point(attributes, { buckets: { boundaries: [...bounds], counts }, count, sum, min, max })
      })
      return { ...about, dataPointType: DataPointType.HISTOGRAM, dataPoints }
    }
    default:
      return assertNever(points)
  }
}

function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000)
  return [seconds, Math.round((ms - seconds * 1_000) * 1_000_000)]
}

const defined = (attributes: Attributes): Record<string, string | number | boolean> =>
  Object.fromEntries(
    Object.entries(attributes).filter((pair): pair is [string, string | number | boolean] => pair[1] !== undefined),
  )
