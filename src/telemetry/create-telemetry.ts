import type { TokenCredential } from '@azure/core-auth'
import type { SmallHttp } from '../azure/small-http'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import type { InstanceId } from '../base/ids'
import type { Log } from '../base/log'
import type { CallTraces } from '../inference/call-trace'
import { createCallMetrics } from './call-metrics'
import { callSpans } from './call-spans'
import { createCallTraces } from './call-trace'
import type { Metric } from './metric'
import { metricNames, SERVICE_NAME } from './names'
import { createOtlpSink } from './otlp-sink'
import { createOutbox } from './outbox'
import { createRequestTraces, type RequestTraces } from './request-trace'
import { createSampling } from './sampling'
import type { Sink } from './sink'
import { newSpanId } from './trace-parent'

export interface TelemetrySettings {
  /** Of Application Insights; undefined where nothing goes there. */
  readonly connectionString: string | undefined
  /** Whether it takes the app's identity only. */
  readonly byIdentity: boolean
  /** Of an OTLP collector. */
  readonly otlpEndpoint: string | undefined
  /** The share of traces that are kept of those that begin here; 0 to 1. */
  readonly sampleRatio: number
}

export interface Telemetry {
  readonly calls: CallTraces
  readonly requests: RequestTraces
  /** Sends what there is, as far as that goes within seconds. Never rejects. */
  close(): Promise<void>
}

export interface TelemetryDeps {
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
  readonly http: SmallHttp
  readonly identity: TokenCredential
  readonly instanceId: InstanceId
  readonly version: string
  /** How things stand when metrics are sent. */
  readonly gauges: () => readonly Metric[]
}

/** Traces and metrics of this process, and their way out. Nothing is loaded or sent before the first sending, seconds after the start. */
export function createTelemetry(deps: TelemetryDeps, settings: TelemetrySettings): Telemetry {
  const { clock, chance } = deps
  const spanId = () => newSpanId(chance)
  const sampling = createSampling(clock, settings.sampleRatio)
  const metrics = createCallMetrics()
  const outbox = createOutbox({
    ...deps,
    sinks: () => makeSinks(deps, settings),
    takeMetrics: (dropped) => [...metrics.take(), ...requests.take(), ...deps.gauges(), droppedMetric(dropped)],
  })
  const requests = createRequestTraces({
    clock,
    chance,
    sampling,
    keep: (span) => outbox.put({ spans: () => [span] }),
  })
  const calls = createCallTraces({
    clock,
    chance,
    sampling,
    metrics,
    keep: (call, ratio) => outbox.put({ spans: () => callSpans(call, ratio, spanId) }),
  })
  return { calls, requests, close: outbox.close }
}

async function makeSinks(deps: TelemetryDeps, settings: TelemetrySettings): Promise<Sink[]> {
  const { connectionString, otlpEndpoint, byIdentity } = settings
  const resource = {
    'service.name': SERVICE_NAME,
    'service.version': deps.version,
    'service.instance.id': deps.instanceId,
  }
  const sinks: Sink[] = []
  if (otlpEndpoint !== undefined) sinks.push(createOtlpSink({ http: deps.http, resource }, otlpEndpoint))
  if (connectionString !== undefined) {
    const { createAzureMonitorSink } = await import('./azure-monitor-sink')
    const credential = byIdentity ? deps.identity : undefined
    sinks.push(createAzureMonitorSink({ resource, credential }, connectionString))
  }
  return sinks
}

const droppedMetric = (dropped: number): Metric => ({
  name: metricNames.dropped,
  unit: '{trace}',
  description: 'Traces that were to be kept and could not be sent.',
  points: { kind: 'sum', values: dropped > 0 ? [{ attributes: {}, value: dropped }] : [] },
})
