import type { SmallHttp } from '../azure/small-http'
import { otlpMetrics, otlpTraces } from './otlp-json'
import { SEND_TIMEOUT_MS, type Resource, type Sink } from './sink'

/** A collector by OTLP/HTTP in JSON, at the paths that the specification gives below its address. */
export function createOtlpSink({ http, resource }: { http: SmallHttp; resource: Resource }, endpoint: string): Sink {
  const send = async (path: string, body: string) => {
    const url = `${endpoint.replace(/\/+$/, '')}${path}`
    const headers = { 'content-type': 'application/json' }
    const { status } = await http.send({ method: 'POST', url, headers, body, timeoutMs: SEND_TIMEOUT_MS })
    if (status >= 300) throw new Error(`the collector answered ${path} with HTTP ${status}`)
  }
  return {
    spans: (spans) => send('/v1/traces', otlpTraces(spans, resource)),
    metrics: (metrics, interval) => send('/v1/metrics', otlpMetrics(metrics, { resource, ...interval })),
    close: async () => {},
  }
}
