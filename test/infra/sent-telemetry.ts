import { composeTelemetry } from '../../src/compose-telemetry'
import { createSmallHttp } from '../../src/azure/small-http'
import { registerTimers, type Timers } from '../../src/functions/timers'
import type { Backend } from '../../src/routing/backend'
import { silentLog } from '../metering/read-all'
import { startCollector } from '../telemetry/collector'
import { chance, intentOf, settlementOf } from '../telemetry/parts'
import { handClock } from '../harness/hand-clock'

/** What arrives in Application Insights, by the table of the workspace where it stands. */
export interface Sent {
  readonly table: 'AppRequests' | 'AppDependencies' | 'AppMetrics'
  readonly name: string | undefined
  readonly properties: readonly string[]
}

const TABLES = {
  RequestData: 'AppRequests',
  RemoteDependencyData: 'AppDependencies',
  MetricData: 'AppMetrics',
} as const

/** It says by this who sends. */
const OF_THE_EXPORTER = '_OTELRESOURCE_'

interface Envelope {
  readonly data: {
    readonly baseType: keyof typeof TABLES
    readonly baseData: {
      readonly name?: string
      readonly metrics?: readonly { readonly name: string }[]
      readonly properties: Readonly<Record<string, string>>
    }
  }
}

export const timerNames: readonly string[] = (() => {
  const names: string[] = []
  registerTimers({ timer: (name) => names.push(name) }, {} as Timers)
  return names
})()

/** Has the app's own telemetry tell one of everything, sends that by the exporter of Application Insights, and reads what came of it. */
export async function sendOneOfEverything(): Promise<readonly Sent[]> {
  let requests = 0
  // The first sending is refused, so that there is something to say of what was dropped.
  const collector = await startCollector(() => (requests++ === 0 ? 503 : 200))
  try {
    await tellOfEverything(collector.url)
  } finally {
    await collector.stop()
  }
  const sent = collector.received.slice(1).flatMap(({ body }) => (JSON.parse(body) as Envelope[]).map(sentOf))
  return sent.filter(({ name }) => name !== OF_THE_EXPORTER)
}

function sentOf({ data: { baseType, baseData } }: Envelope): Sent {
  const { name, metrics, properties } = baseData
  return { table: TABLES[baseType], name: metrics?.[0]?.name ?? name, properties: Object.keys(properties) }
}

async function tellOfEverything(url: string): Promise<void> {
  const clock = handClock()
  const http = createSmallHttp()
  const telemetry = composeTelemetry(
    {
      connectionString: `InstrumentationKey=00000000-0000-4000-8000-000000000000;IngestionEndpoint=${url}/`,
      byIdentity: false,
      otlpEndpoint: undefined,
      sampleRatio: 1,
    },
    {
      clock,
      chance,
      log: silentLog,
      http,
      identity: { getToken: async () => null },
      instanceId: 'ins_1',
      version: '1.2.3',
      runningCalls: { count: 1 },
      bodyRoom: { heldBytes: 1 },
      usageLog: { overdueMs: 1 },
      backends: { all: () => new Map([['bke_1', backend]]) },
      standings: { standing: () => ({ kind: 'ready' }) },
    },
  )
  if (!telemetry) throw new Error('telemetry is set up')
  const { calls, requests } = telemetry
  const begin = () => {
    const call = calls.begin({ callId: 'call_1', method: 'POST', traceParent: undefined, traceState: null })
    call.isOf({ tenantId: 'ten_1', keyId: 'key_1', operation: 'chat.completions' })
    return call
  }
  const controlPlane = () =>
    requests.request({ traceParent: undefined, method: 'GET', route: 'api/tenants/{tenantId}', params: TENANT })

  controlPlane().ended({ status: 200 })
  await clock.advance(5_000)

  const refused = begin()
  refused.answered(429, 'rate_limit_exceeded')
  const served = begin()
  served.began(intentOf())
  served.queued(1)
  const first = served.attempt('bke_1')
  first.ended({ kind: 'throttled', waitMs: 1 })
  await served.durable(Promise.resolve())
  const usage = { promptTokens: 2, cachedTokens: 1, outputTokens: 3, reasoningTokens: 0 }
  served.ended(
    settlementOf({ usage, queuedMs: 1, code: 'upstream_failed', servedAs: { alias: 'b', model: 'm' } }),
    backend,
  )
  controlPlane().ended({ status: 404, code: 'not_found' })
  for (const name of timerNames) await requests.timer(name, async () => {})
  await telemetry.close()
  await http.close()
}

const TENANT = { tenantId: 'ten_1' }
const backend = { api: { kind: 'azure-openai' } } as Backend
