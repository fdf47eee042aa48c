import { performance } from 'node:perf_hooks'
import type { Config } from './config'
import type { Timers } from './functions/timers'
import type { BodyRoom } from './inference/body-room'
import type { RunningCalls } from './inference/running-calls'
import type { WatchedUsageLog } from './metering/usage-log'
import type { Backends } from './routing/backends'
import type { BackendHealth } from './routing/health'
import { createTelemetry, type Telemetry, type TelemetryDeps } from './telemetry/create-telemetry'
import type { Metric } from './telemetry/metric'
import { metricNames, ours, type MetricName } from './telemetry/names'
import type { RequestTraces } from './telemetry/request-trace'

type TelemetryParts = InstanceParts & Omit<TelemetryDeps, 'gauges'>

/** What an instance knows of itself. */
interface InstanceParts {
  readonly runningCalls: Pick<RunningCalls, 'count'>
  readonly bodyRoom: Pick<BodyRoom, 'heldBytes'>
  readonly usageLog: Pick<WatchedUsageLog, 'overdueMs'>
  readonly backends: Pick<Backends, 'all'>
  readonly standings: Pick<BackendHealth, 'standing'>
}

/** Traces and metrics where the settings say whereto; without that nothing is made, and calls find nothing to tell. */
export function composeTelemetry(settings: Config['telemetry'], parts: TelemetryParts): Telemetry | undefined {
  return settings && createTelemetry({ ...parts, gauges: gaugesOf(parts) }, settings)
}

/** Each run of a timer is a trace of its own. */
export function tracedTimers(timers: Timers, traces: RequestTraces | undefined): Timers {
  if (!traces) return timers
  const traced = (name: string, work: Timers[keyof Timers]): Timers[keyof Timers] => {
    return (orchestrations) => traces.timer(name, () => work(orchestrations))
  }
  return Object.fromEntries(Object.entries(timers).map(([name, work]) => [name, traced(name, work)])) as Timers
}

/** Backends that are told of one by one. */
const BACKENDS_TOLD_MAX = 500

function gaugesOf({ runningCalls, bodyRoom, usageLog, backends, standings }: InstanceParts): () => Metric[] {
  let since = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, since)
    since = now
    return [
      gauge(metricNames.callsActive, '{call}', 'Calls under way.', runningCalls.count),
      gauge(metricNames.bodyRoomHeld, 'By', 'Request bodies that are held.', bodyRoom.heldBytes),
      gauge(
        metricNames.usageLogOverdue,
        's',
        'How long the oldest records have waited for storage beyond their time.',
        usageLog.overdueMs / 1_000,
      ),
      gauge(metricNames.eventLoop, '1', 'The share of time in which the process was busy.', utilization),
      backendMetric(backends, standings),
    ]
  }
}

const gauge = (name: MetricName, unit: string, description: string, value: number): Metric => ({
  name,
  unit,
  description,
  points: { kind: 'gauge', values: [{ attributes: {}, value }] },
})

/** Nothing where they are not known yet: metrics wait for no storage. */
function backendMetric(backends: InstanceParts['backends'], standings: InstanceParts['standings']): Metric {
  const known = backends.all()
  if (known instanceof Promise) known.catch(() => {})
  const ids = known instanceof Promise ? [] : [...known.keys()].slice(0, BACKENDS_TOLD_MAX)
  return {
    name: metricNames.backendAvailable,
    unit: '1',
    description: 'Whether this instance calls the backend at present (1) or lets it rest (0).',
    points: {
      kind: 'gauge',
      values: ids.map((id) => {
        const { kind } = standings.standing(id)
        const attributes = { [ours.backend]: id, [ours.backendState]: kind }
        return { attributes, value: kind === 'ready' || kind === 'recovering' ? 1 : 0 }
      }),
    },
  }
}
