import { ACCOUNT_TYPE, COGNITIVE } from '../arm/account-view'
import {
  endpointPath,
  IN_GROUP,
  resourceNotFound,
  type ArmAnswer,
  type ArmCall,
  type ArmEndpoint,
} from '../arm/arm-answer'
import type { ArmStore } from '../arm/arm-store'
import type { StoredAccount } from '../arm/stored-resource'
import type { LedgerRecord } from '../ledger'
import { MetricError, readMetricQuery, type MetricQuery } from './metric-query'

/** One of an account's metrics: what each served call adds to it, and what its values can be told apart by. */
interface Metric {
  readonly name: string
  readonly text: string
  readonly of: (record: LedgerRecord) => number
  readonly byStatus: boolean
}

const metric = (name: string, text: string, of: Metric['of'], byStatus = false): Metric => ({
  name,
  text,
  of,
  byStatus,
})
const requests = () => 1
const prompt = ({ promptTokens }: LedgerRecord) => promptTokens
const output = ({ outputTokens }: LedgerRecord) => outputTokens

/** Of accounts of every kind. Azure Monitor, supported metrics for Microsoft.CognitiveServices/accounts. */
const openAiMetrics = [
  metric('AzureOpenAIRequests', 'Azure OpenAI Requests', requests, true),
  metric('ProcessedPromptTokens', 'Processed Prompt Tokens', prompt),
  metric('GeneratedTokens', 'Generated Completion Tokens', output),
  metric('TokenTransaction', 'Processed Inference Tokens', (record) => prompt(record) + output(record)),
]
/** Of those of the kind AIServices besides. */
const modelMetrics = [
  metric('ModelRequests', 'Model Requests', requests, true),
  metric('InputTokens', 'Input Tokens', prompt),
  metric('OutputTokens', 'Output Tokens', output),
  metric('TotalTokens', 'Total Tokens', (record) => prompt(record) + output(record)),
]

/** Azure's own status of a call whose client left before its answer began. */
const CLIENT_CLOSED = 499

export interface MetricsDeps {
  readonly store: ArmStore
  /** What was served, the oldest first. */
  readonly served: () => readonly LedgerRecord[]
}

/** `{account}/providers/Microsoft.Insights/metrics`: sums over what the accounts served, by the minute in which each call ended. */
export function metricsEndpoints({ store, served }: MetricsDeps): ArmEndpoint[] {
  const list = (call: ArmCall): ArmAnswer => {
    const account = store.get('account', call.params['account'] ?? '')
    if (!account) throw resourceNotFound(call.params['account'] ?? '')
    try {
      const query = readMetricQuery(call.query, call.now)
      const value = query.names.map((name) => shown(metricOf(account, name), { account, query, records: served() }))
      const at = (ms: number) => new Date(ms).toISOString()
      const body = {
        cost: value.length,
        timespan: `${at(query.fromMs)}/${at(query.toMs)}`,
        interval: call.query.get('interval') ?? 'PT1M',
        namespace: ACCOUNT_TYPE,
        resourceregion: account.location,
        value,
      }
      return { status: 200, body }
    } catch (error) {
      if (error instanceof MetricError) return { status: 400, body: { code: error.code, message: error.message } }
      throw error
    }
  }
  return [
    {
      path: endpointPath(`(?<account>${IN_GROUP}/${COGNITIVE}/accounts/[^/]+)/providers/Microsoft\\.Insights/metrics`),
      type: 'Microsoft.Insights/metrics',
      serve: { GET: list },
    },
  ]
}

function metricOf({ accountKind }: StoredAccount, name: string): Metric {
  const known = accountKind === 'AIServices' ? [...openAiMetrics, ...modelMetrics] : openAiMetrics
  const found = known.find((each) => each.name.toLowerCase() === name.toLowerCase())
  if (found) return found
  const valid = known.map((each) => each.name).join(',')
  throw new MetricError(
    `Failed to find metric configuration for provider: ${COGNITIVE}, resource Type: accounts, metric: ${name}, Valid metrics: ${valid}`,
  )
}

interface Asked {
  readonly account: StoredAccount
  readonly query: MetricQuery
  readonly records: readonly LedgerRecord[]
}

function shown(asked: Metric, { account, query, records }: Asked): object {
  const split = splitOf(asked, query)
  const series = new Map<string, { values: readonly string[]; totals: number[] }>()
  for (const record of records) {
    const endedMs = record.at + record.durationMs
    if (record.account.toLowerCase() !== account.name.toLowerCase() || record.deployment === null) continue
    if (endedMs < query.fromMs || endedMs >= query.toMs || !isWanted(record, query)) continue
    const values = split.map((dimension) => valueOf(record, dimension))
    const key = JSON.stringify(values)
    const known = series.get(key) ?? { values, totals: noTotals(query) }
    const at = Math.floor((endedMs - query.fromMs) / query.intervalMs)
    known.totals[at] = (known.totals[at] ?? 0) + asked.of(record)
    series.set(key, known)
  }
  const largest = [...series.values()]
    .filter(({ totals }) => sumOf(totals) > 0)
    .sort((one, other) => sumOf(other.totals) - sumOf(one.totals))
    .slice(0, query.seriesMax)
  return {
    id: `${account.id}/providers/Microsoft.Insights/metrics/${asked.name}`,
    type: 'Microsoft.Insights/metrics',
    name: { value: asked.name, localizedValue: asked.text },
    unit: 'Count',
    errorCode: 'Success',
    timeseries: largest.map(({ values, totals }) => ({
      metadatavalues: split.map((dimension, i) => ({
        name: { value: dimension, localizedValue: dimension },
        value: values[i],
      })),
      data: totals.map((total, i) => ({
        timeStamp: new Date(query.fromMs + i * query.intervalMs).toISOString(),
        total,
      })),
    })),
  }
}

/** The dimensions that the answer is split by. Throws where the metric has not one that was asked for. */
function splitOf({ name, byStatus }: Metric, { filter }: MetricQuery): string[] {
  const known = ['modeldeploymentname', ...(byStatus ? ['statuscode'] : [])]
  for (const dimension of filter.keys())
    if (!known.includes(dimension))
      throw new MetricError(
        `Metric: ${name} does not support requested dimension combination: ${dimension}, supported ones are: ${known.join(',')}`,
      )
  return known.filter((dimension) => filter.has(dimension))
}

const isWanted = (record: LedgerRecord, { filter }: MetricQuery) =>
  [...filter].every(([dimension, value]) => value === '*' || valueOf(record, dimension) === value)

const valueOf = ({ deployment, status }: LedgerRecord, dimension: string): string =>
  dimension === 'statuscode' ? String(status === 0 ? CLIENT_CLOSED : status) : (deployment ?? '')

const noTotals = ({ fromMs, toMs, intervalMs }: MetricQuery): number[] =>
  Array.from({ length: Math.ceil((toMs - fromMs) / intervalMs) }, () => 0)

const sumOf = (totals: readonly number[]) => totals.reduce((sum, total) => sum + total, 0)
