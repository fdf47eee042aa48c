import { genAi } from './gen-ai'

/**
 * Every name that leaves by telemetry, in one place: a metric or an attribute that does not stand here does not compile, and
 * `test/infra/queries.test.ts` holds the queries of alerts, workbook and docs against it. A name that is changed here changes there.
 */
export const metricNames = {
  calls: 'tenantry.calls',
  refusals: 'tenantry.refusals',
  attempts: 'tenantry.attempts',
  callDuration: 'gen_ai.client.operation.duration',
  firstToken: 'gen_ai.server.time_to_first_token',
  queueWait: 'tenantry.queue.wait',
  tokens: 'gen_ai.client.token.usage',
  requestDuration: 'http.server.request.duration',
  timerDuration: 'tenantry.timer.duration',
  callsActive: 'tenantry.calls.active',
  bodyRoomHeld: 'tenantry.body_room.held',
  usageLogOverdue: 'tenantry.usage_log.overdue',
  eventLoop: 'nodejs.eventloop.utilization',
  backendAvailable: 'tenantry.backend.available',
  dropped: 'tenantry.telemetry.dropped',
} as const

export type MetricName = (typeof metricNames)[keyof typeof metricNames]

/** Our own: ids, and names that tenants or operators gave to what they configured. */
export const ours = {
  tenant: 'tenantry.tenant',
  alias: 'tenantry.alias',
  backend: 'tenantry.backend',
  key: 'tenantry.key',
  call: 'tenantry.call',
  outcome: 'tenantry.outcome',
  servedAs: 'tenantry.served_as',
  attempts: 'tenantry.attempts',
  throttledAttempts: 'tenantry.attempts.throttled',
  queuedMs: 'tenantry.queued_ms',
  firstByteMs: 'tenantry.first_byte_ms',
  timer: 'tenantry.timer',
  backendState: 'tenantry.backend.state',
  /** `error.type` of spans in Application Insights, whose exporter leaves that one out. */
  error: 'tenantry.error',
} as const

/** Of OpenTelemetry’s general conventions, but for `peer.service`: where Application Insights looks for whom a dependency is on. */
export const general = {
  method: 'http.request.method',
  route: 'http.route',
  status: 'http.response.status_code',
  error: 'error.type',
  peer: 'peer.service',
} as const

export const attributeNames = [...Object.values(genAi), ...Object.values(ours), ...Object.values(general)]

export type AttributeName = (typeof attributeNames)[number]

/** The parts of a call. The span of a call itself is named by its operation and model, a request's by method and route. */
export const callParts = {
  queue: { name: 'queue', kind: 'internal' },
  durable: { name: 'metering durable', kind: 'internal' },
  relay: { name: 'relay', kind: 'internal' },
  attempt: { name: 'upstream attempt', kind: 'client' },
} as const

/** One run of a timer, by the name of its function. */
export const timerSpan = (timer: string) => ({ name: `timer ${timer}`, kind: 'consumer' }) as const

/** Who sends. The Functions host writes into the same tables under the app’s name, so a query of requests says whose it means. */
export const SERVICE_NAME = 'tenantry'
