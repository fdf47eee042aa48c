import { assertNever } from '../base/assert'
import type { HistogramPoint, Metric, NumberPoint } from './metric'
import type { Attributes, Span } from './span'

/**
 * The bodies of OTLP/HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/, stable since 1.0): Protocol Buffers' JSON mapping with ids in
 * hex, 64-bit numbers as strings and enums as numbers.
 */
export function otlpTraces(spans: readonly Span[], resource: Attributes): string {
  return JSON.stringify({
    resourceSpans: [
      { resource: { attributes: attributesOf(resource) }, scopeSpans: [{ scope: SCOPE, spans: spans.map(spanOf) }] },
    ],
  })
}

/** `metrics` were counted from `startMs` to `endMs`, Unix milliseconds. */
export function otlpMetrics(
  metrics: readonly Metric[],
  { resource, startMs, endMs }: { resource: Attributes; startMs: number; endMs: number },
): string {
  const time = { startTimeUnixNano: nanosOf(startMs), timeUnixNano: nanosOf(endMs) }
  return JSON.stringify({
    resourceMetrics: [
      {
        resource: { attributes: attributesOf(resource) },
        scopeMetrics: [{ scope: SCOPE, metrics: metrics.map((metric) => metricOf(metric, time)) }],
      },
    ],
  })
}

const SCOPE = { name: 'tenantry' }
const SPAN_KINDS = { internal: 1, server: 2, client: 3, consumer: 5 } as const
const STATUS_ERROR = 2
const DELTA = 1

interface Time {
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
}

function spanOf({ kind, startMs, endMs, attributes, isError, ...span }: Span) {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: SPAN_KINDS[kind],
    startTimeUnixNano: nanosOf(startMs),
    endTimeUnixNano: nanosOf(endMs),
    attributes: attributesOf(attributes),
    status: isError ? { code: STATUS_ERROR } : {},
  }
}

function metricOf({ name, unit, description, points }: Metric, time: Time) {
  const text = { name, unit, description }
  const number = ({ attributes, value }: NumberPoint) => ({
    attributes: attributesOf(attributes),
    ...time,
    asDouble: value,
  })
  switch (points.kind) {
    case 'sum':
      return {
        ...text,
        sum: { aggregationTemporality: DELTA, isMonotonic: true, dataPoints: points.values.map(number) },
      }
    case 'gauge':
      return { ...text, gauge: { dataPoints: points.values.map(number) } }
    case 'histogram':
      return {
        ...text,
        histogram: {
          aggregationTemporality: DELTA,
          dataPoints: points.values.map((point) => ({ ...histogramOf(point), ...time })),
        },
      }
    default:
      return assertNever(points)
  }
}

function histogramOf({ attributes, histogram: { count, sum, min, max, counts, bounds } }: HistogramPoint) {
  return {
    attributes: attributesOf(attributes),
    count: String(count),
    sum,
    min,
    max,
    bucketCounts: counts.map(String),
    explicitBounds: bounds,
  }
}

function attributesOf(attributes: Attributes) {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: valueOf(value) }],
  )
}

function valueOf(value: string | number | boolean) {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

/** Nanoseconds do not fit into a number; fractions of a millisecond are kept to the microsecond. */
function nanosOf(ms: number): string {
  return `${Math.round(ms * 1_000)}000`
}
