import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Takes what exporters send, on a real socket: OTLP in JSON, and the envelopes of Application Insights. */
export interface Collector {
  readonly url: string
  readonly received: readonly Received[]
  /** Spans of OTLP, flattened. */
  spans(): CollectedSpan[]
  /** Data points of OTLP by the metric's name. */
  points(name: string): CollectedPoint[]
  stop(): Promise<void>
}

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface CollectedSpan {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: Record<string, string | number | boolean>
  readonly status: { code?: number }
}

export interface CollectedPoint {
  readonly attributes: Record<string, string | number | boolean>
  readonly asDouble?: number
  readonly count?: string
  readonly sum?: number
}

/** `answer` says what each request is answered with; undefined: nothing, ever. */
export async function startCollector(answer: () => number | undefined = () => 200): Promise<Collector> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() })
      const status = answer()
      if (status === undefined) return
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ itemsReceived: 1, itemsAccepted: 1, errors: [] }))
    })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const parsed = (path: string) =>
    received.filter((one) => one.path === path).map(({ body }) => JSON.parse(body) as OtlpBody)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    spans: () =>
      parsed('/v1/traces')
        .flatMap(({ resourceSpans = [] }) => resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans)
        .flatMap(({ spans }) => spans)
        .map((span) => ({ ...span, attributes: plain(span.attributes) })),
    points: (name) =>
      parsed('/v1/metrics')
        .flatMap(({ resourceMetrics = [] }) => resourceMetrics)
        .flatMap(({ scopeMetrics }) => scopeMetrics)
        .flatMap(({ metrics }) => metrics)
        .filter((metric) => metric.name === name)
        .flatMap(({ sum, gauge, histogram }) => (sum ?? gauge ?? histogram)?.dataPoints ?? [])
        .map((point) => ({ ...point, attributes: plain(point.attributes) })),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Attributes = { key: string; value: Record<string, string | number | boolean> }[]
interface Points {
  readonly dataPoints: (Omit<CollectedPoint, 'attributes'> & { attributes: Attributes })[]
}
interface OtlpBody {
  readonly resourceSpans?: {
    scopeSpans: { spans: (Omit<CollectedSpan, 'attributes'> & { attributes: Attributes })[] }[]
  }[]
  readonly resourceMetrics?: {
    scopeMetrics: { metrics: { name: string; sum?: Points; gauge?: Points; histogram?: Points }[] }[]
  }[]
}

function plain(attributes: Attributes): Record<string, string | number | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value['intValue'] === undefined ? (Object.values(value)[0] ?? '') : Number(value['intValue']),
    ]),
  )
}
