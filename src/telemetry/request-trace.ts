import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { parseTenantId } from '../base/ids'
import { Histogram, SECONDS_BOUNDS, type Metric } from './metric'
import { general, metricNames, ours, timerSpan, type MetricName } from './names'
import type { Sampling } from './sampling'
import type { Attributes, Span } from './span'
import { newSpanId, newTraceId, readTraceParent } from './trace-parent'

/** What is traced besides calls: requests of the control plane, and timers. One span each. */
export interface RequestTraces {
  request(request: TracedControlRequest): RequestTrace
  /** Runs it, and tells how it went; what it throws is thrown on. */
  timer(name: string, work: () => Promise<void>): Promise<void>
  /** What was counted since it was last called. */
  take(): Metric[]
}

export interface TracedControlRequest {
  readonly traceParent: string | undefined
  readonly method: string
  /** With its placeholders: what stands for them is not told, but for the tenant's id. */
  readonly route: string
  readonly params: Readonly<Record<string, string>>
}

export interface RequestTrace {
  readonly traceId: string
  ended(answer: { readonly status: number; readonly code?: string | undefined }): void
}

/** Routes by method and status; there are some hundred. */
const KINDS_HELD_MAX = 2_000

export function createRequestTraces({
  clock,
  chance,
  sampling,
  keep,
}: {
  clock: Clock
  chance: Chance
  sampling: Sampling
  keep: (span: Span) => void
}): RequestTraces {
  const requests = new Durations(metricNames.requestDuration, 'Of requests to the control plane.')
  const timers = new Durations(metricNames.timerDuration, 'Of runs of timers.')

  /** Its times are of one clock, so that none of them is negative. */
  const begin = () => ({ startMs: clock.now(), monotonicMs: clock.monotonicMs(), spanId: newSpanId(chance) })
  const tookMs = ({ monotonicMs }: ReturnType<typeof begin>) => clock.monotonicMs() - monotonicMs

  return {
    request: ({ traceParent, method, route, params }) => {
      const begun = begin()
      const parent = readTraceParent(traceParent)
      const traceId = parent?.traceId ?? newTraceId(chance)
      const share = sampling.shareOf(traceId, parent)
      return {
        traceId,
        ended: ({ status, code }) => {
          const ms = tookMs(begun)
          const http = {
            [general.method]: method,
            [general.route]: route,
            [general.status]: status,
            [general.error]: code,
          }
          requests.add(http, ms)
          const ratio = share ?? sampling.shareAtEnd(status < 400 ? 'well' : status < 500 ? 'refused' : 'failed')
          if (ratio === undefined) return
          keep({
            name: `${method} ${route}`,
            kind: 'server',
            traceId,
            spanId: begun.spanId,
            parentSpanId: parent?.spanId,
            startMs: begun.startMs,
            endMs: begun.startMs + ms,
            attributes: { ...http, [ours.tenant]: parseTenantId(params['tenantId'] ?? '') },
            isError: status >= 500,
            ratio,
          })
        },
      }
    },
    timer: async (name, work) => {
      const begun = begin()
      let outcome = 'failed'
      try {
        await work()
        outcome = 'completed'
      } finally {
        const ms = tookMs(begun)
        const attributes = { [ours.timer]: name, [ours.outcome]: outcome }
        timers.add(attributes, ms)
        keep({
          ...timerSpan(name),
          traceId: newTraceId(chance),
          spanId: begun.spanId,
          parentSpanId: undefined,
          startMs: begun.startMs,
          endMs: begun.startMs + ms,
          attributes,
          isError: outcome === 'failed',
          ratio: 1,
        })
      }
    },
    take: () => [requests.take(), timers.take()],
  }
}

class Durations {
  readonly #name: MetricName
  readonly #description: string
  #kinds = new Map<string, { attributes: Attributes; histogram: Histogram }>()

  constructor(name: MetricName, description: string) {
    this.#name = name
    this.#description = description
  }

  add(attributes: Attributes, ms: number): void {
    const key = Object.values(attributes).join('|')
    let kind = this.#kinds.get(key)
    if (!kind) {
      if (this.#kinds.size >= KINDS_HELD_MAX) return
      kind = { attributes, histogram: new Histogram(SECONDS_BOUNDS) }
      this.#kinds.set(key, kind)
    }
    kind.histogram.add(ms / 1_000)
  }

  take(): Metric {
    const values = [...this.#kinds.values()]
    this.#kinds = new Map()
    return { name: this.#name, unit: 's', description: this.#description, points: { kind: 'histogram', values } }
  }
}
